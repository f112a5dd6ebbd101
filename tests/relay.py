"""A way to the database server that a test can cut, block and open again, as networks do."""

import socket
from contextlib import suppress
from threading import Event, Thread

from mariadb import free_port


class Relay:
    """One address on loopback that leads to a server."""

    def __init__(self, host: str, port: int) -> None:
        """It is open."""
        self.target = (host, port)
        self.port = free_port()
        self.flowing = Event()
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
        for one in self.sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self.sockets.clear()

    def listen(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                for pair in ((near, far), (far, near)):
                    Thread(target=self.carry, args=pair, daemon=True).start()

    def carry(self, source: socket.socket, sink: socket.socket) -> None:
        """What comes from one side goes to the other."""
        first = True
        with suppress(OSError):
            while data := source.recv(65_536):
                self.flowing.wait()
                sink.sendall(data)
                self.passed += first
                first = False
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
