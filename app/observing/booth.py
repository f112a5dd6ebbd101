"""Where metrics are shown: an address of their own, never the API's.

The processes of a server count for themselves, in files of a folder that lives as long as the
server; whichever of them answers adds up all the files. They share one listening socket.
"""

import atexit
import fcntl
import logging
import os
import shutil
import socket
import tempfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from app.errors import Unavailable
from app.observing.metrics import Metrics, Queues
from app.service import service_of

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable by which the library is told of the folder; there is no other way."""
PREFIX = "tasks-metrics-"
SHARED_MEMORY = "/dev/shm"
WAITING = 16
"""Connections that may wait to be answered."""
SECONDS = 5
"""How long a connection may take to ask."""
log = logging.getLogger(__name__)


class Shown(BaseHTTPRequestHandler):
    """One request for metrics."""

    timeout = SECONDS
    server_version, sys_version = "tasks", ""
    registry: ClassVar[CollectorRegistry]

    def do_GET(self) -> None:
        """Answer all metrics at `/metrics`."""
        if self.path.partition("?")[0] != "/metrics":
            self.send_error(404)
            return
        try:
            body = generate_latest(self.registry)
        except Unavailable as refusal:
            self.send_error(503, refusal.message)
            return
        self.send_response(200)
        self.send_header("Content-Type", CONTENT_TYPE_LATEST)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: somebody looks every few seconds."""


class Booth:
    """The folder and the socket of one server."""

    def __init__(self) -> None:
        """Nothing is open."""
        self.socket: socket.socket | None = None
        self.folder: Path | None = None
        self.alive: Any = None
        self.owner = os.getpid()

    def open(self, address: str, insisted: bool) -> None:
        """Before the processes begin: there is a folder, and `address` is listened to.

        An empty address: neither. Raises OSError when it is taken and was `insisted` on.
        """
        if not address:
            return
        self.owner = os.getpid()
        host, _, port = address.rpartition(":")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            self.socket = socket.create_server(
                (host.strip("[]"), int(port)), family=family, backlog=WAITING
            )
        except OSError as error:
            if insisted:
                raise
            log.warning("no metrics: %s", error.strerror)
            return
        # Several processes wait on it, and all but one find nobody when they come to accept.
        self.socket.setblocking(False)
        self.make_folder()

    def make_folder(self) -> None:
        """There is a new folder that only we can read; those of servers that were killed go."""
        home = Path(SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else tempfile.gettempdir())
        for old in home.glob(f"{PREFIX}*"):
            if abandoned(old):
                shutil.rmtree(old, ignore_errors=True)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=home))
        self.alive = (self.folder / "alive").open("w")
        fcntl.flock(self.alive, fcntl.LOCK_EX)
        os.environ[FOLDER] = str(self.folder)
        # Not a hook of the server's: it ends in ways that call none.
        atexit.register(self.close)

    def serve(self, app: Any) -> None:
        """In each process: count, and answer whoever looks."""
        if self.socket is None:
            return
        # The library has chosen when it was imported, before there was a folder.
        values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]
        Metrics(None).begin(app)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(Queues(service_of(app).database))
        handler = type("Handler", (Shown,), {"registry": registry})
        server = HTTPServer(("", 0), handler, bind_and_activate=False)
        server.socket.close()
        server.socket = self.socket
        Thread(target=server.serve_forever, args=(60,), name="metrics", daemon=True).start()

    def forget(self, process: int) -> None:
        """A process has ended: what it counted stays, what it stood at goes."""
        if self.folder is not None:
            mark_process_dead(process, str(self.folder))  # type: ignore[no-untyped-call]

    def close(self) -> None:
        """The server ends: nothing stays behind. In a process that it forked, nothing happens."""
        if os.getpid() != self.owner:
            return
        if self.socket is not None:
            self.socket.close()
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.alive.close()


def abandoned(folder: Path) -> bool:
    """Whether no process holds the lock of a server's `folder` any more."""
    with suppress(OSError), (folder / "alive").open("r") as alive:
        fcntl.flock(alive, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return True
    return False
