"""A way to the database server that a test can cut, block and open again, as networks do."""

import socket
from contextlib import suppress
from threading import Event, Thread
from time import sleep

from mariadb import free_port

COMMIT = b"COMMIT"


class Loss:
    """What happens to the `nth` COMMIT that comes by, on whichever way: it gets no answer."""

    def __init__(self, nth: int, arrives: bool) -> None:
        """`arrives`: whether the server hears of it."""
        self.nth = nth
        self.arrives = arrives
        self.happened = False

    def meets(self, data: bytes) -> bool:
        """Whether `data`, on its way to the server, is that COMMIT."""
        if COMMIT in data:
            self.nth -= 1
            self.happened = self.happened or self.nth == 0
            return self.nth == 0
        return False


class Relay:
    """One address on loopback that leads to a server."""

    def __init__(self, host: str, port: int) -> None:
        """It is open."""
        self.target = (host, port)
        self.port = free_port()
        self.flowing = Event()
        self.loss: Loss | None = None
        self.sockets: list[socket.socket] = []
        self.listener: socket.socket | None = None
        self.passed = 0
        """Connections that were let through."""
        self.open()

    def open(self) -> None:
        """What comes goes through."""
        self.flowing.set()
        if self.listener is None:
            self.listener = socket.create_server(("127.0.0.1", self.port))
            Thread(target=self.listen, args=(self.listener,), daemon=True).start()

    def block(self) -> None:
        """Nothing goes through, and nothing is refused: as to a server that is stopped."""
        self.flowing.clear()

    def cut(self) -> None:
        """All connections end, new ones are refused."""
        if self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        self.flowing.set()
        end(*self.sockets)
        self.sockets.clear()

    def listen(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                self.passed += 1
                for act in (self.ask, self.answer):
                    Thread(target=act, args=(near, far), daemon=True).start()

    def ask(self, near: socket.socket, far: socket.socket) -> None:
        """What the client says goes to the server."""
        with suppress(OSError):
            while data := near.recv(65_536):
                self.flowing.wait()
                if self.loss and self.loss.meets(data):
                    if self.loss.arrives:
                        # The client is gone already when the server answers.
                        end(near)
                        far.sendall(data)
                        sleep(0.05)
                    break
                far.sendall(data)
        end(near, far)

    def answer(self, near: socket.socket, far: socket.socket) -> None:
        """What the server says goes to the client."""
        with suppress(OSError):
            while data := far.recv(65_536):
                self.flowing.wait()
                near.sendall(data)
        end(near, far)


def end(*sockets: socket.socket) -> None:
    """Nothing more is said on any of them."""
    for one in sockets:
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
        one.close()
