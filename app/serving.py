"""How gunicorn runs the application: its settings, and a guard against slow clients."""

import os
import select
import signal
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers import gthread

from app import config, create_app, logs, upkeeping
from app.api import wire
from app.api.waiting import room_of
from app.config import BadSetting
from app.observing.booth import SHARED_MEMORY, Booth

BIND = "127.0.0.1:8080"
IDLE_SECONDS = 0.05
"""How long a thread waits for the first byte of a new connection; then the loop does, for all."""
ARRIVING_SECONDS = 3
"""How long a thread waits for the next bytes of a request that has begun."""
PARTING_SECONDS = 0.5
"""How long a thread waits for a client to close a connection that is at its end."""
MOMENT_MILLISECONDS = 10
"""How long a thread that has answered waits for the client's next request."""
STOPPING = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)
BOOTH = Booth()


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def options() -> dict[str, Any]:
    """The settings of gunicorn. Ends the process with one line when one of ours is bad."""
    try:
        settings = config.load()
    except BadSetting as error:
        fail(error)
    return {
        "bind": BIND,
        "worker_class": "gthread",
        "workers": settings.workers or min(cores(), 8),
        "threads": settings.threads + settings.waiting_claims,
        "timeout": 30,
        "graceful_timeout": 35,  # longer than the longest wait of a claim
        "keepalive": 75 if settings.trusted_proxies else 5,
        "limit_request_line": wire.LINE,  # a query with about 190 UUIDs
        "limit_request_fields": wire.FIELDS,
        "limit_request_field_size": wire.FIELD,
        # On by default it is one file for all servers of a user, and can command them.
        "control_socket_disable": True,
        # The workers' sign of life is a file that they touch; on a disk that could block.
        "worker_tmp_dir": SHARED_MEMORY if os.access(SHARED_MEMORY, os.W_OK) else None,
        "logconfig_dict": logs.configuration(settings.log_level),
        "logger_class": Quiet,
        "on_starting": begin,
        "child_exit": forget,
        "post_fork": guard,
        "post_worker_init": settle_in,
        "worker_exit": leave,
    }


class Quiet(Logger):
    """gunicorn's log without its lines of access, which it would make for nobody."""

    def access(self, *_: Any) -> None:
        """The application writes a line of its own."""


def guard(_server: Any = None, worker: Any = None) -> None:
    """Slow and silent clients hold no thread for long, and never the loop that serves all others.

    As it comes, a new connection occupies a thread for 5 seconds before its first byte, one that
    sends half a request occupies it for good, and one that is told to close and does not halts the
    loop for 2 seconds: a few such clients stop a small server. And what gunicorn refuses by itself
    is answered as all refusals are. The names are gunicorn's private ones; a test fails when they
    change.
    """
    gthread.DEFAULT_WORKER_DATA_TIMEOUT = IDLE_SECONDS
    gthread.TConn.init = limited(gthread.TConn.init)
    gthread.ThreadWorker.handle = parting(gthread.ThreadWorker.handle)
    gthread.ThreadWorker.init_signals = listening(gthread.ThreadWorker.init_signals)
    util.write_error = wire.refuse
    if worker is not None:
        at_hand(worker.cfg)


def at_hand(chosen: Any) -> None:
    """Gunicorn's settings are plain attributes: it looks for some thirty of them in a request."""
    plain = {name for name in chosen.settings if not hasattr(type(chosen), name)}
    vars(chosen).update({name: getattr(chosen, name) for name in plain})


def hold_back() -> None:
    """What tells this thread to stop waits, until `let_go`.

    A worker begins with its parent's handlers, which would take such a signal for the parent: the
    worker would go on, and its parent wait for it for as long as `graceful_timeout`. Held back
    while it is born, it is heard as soon as the worker has handlers of its own.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)


def let_go() -> None:
    """What was held back is heard now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)


def listening(init_signals: Callable[[Any], None]) -> Callable[[Any], None]:
    """`init_signals` of a worker, after which it hears what it was told before."""

    def init_and_hear(worker: Any) -> None:
        init_signals(worker)
        let_go()

    return init_and_hear


def limited(init: Callable[[Any], None]) -> Callable[[Any], None]:
    """`init` of a connection, which gunicorn calls before each request on it, and then a limit."""

    def init_and_limit(connection: Any) -> None:
        init(connection)
        connection.sock.settimeout(ARRIVING_SECONDS)

    return init_and_limit


def parting(handle: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """`handle` of a request, and of those that follow it at once; after the last one on a
    connection the wait for its end.

    The loop closes the connection too, but what is closed here already takes it no time.
    """

    def handle_and_part(worker: Any, connection: Any) -> Any:
        kept = handle(worker, connection)
        while kept is True and goes_on(worker, connection):
            kept = handle(worker, connection)
        if kept is False:
            util.close_graceful(connection.sock, PARTING_SECONDS)
        return kept

    return handle_and_part


def goes_on(worker: Any, connection: Any) -> bool:
    """Whether the client has sent its next request already, or does so in a moment.

    From thread to loop and back costs as much as a small answer. Not while others wait for a
    thread: who talks without a pause would keep them waiting for good.
    """
    if not worker.alive or worker.tpool._work_queue.qsize():
        return False
    look = select.poll()
    look.register(connection.sock, select.POLLIN)
    return bool(look.poll(MOMENT_MILLISECONDS))


def begin(_server: Any) -> None:
    """The parent of all workers starts."""
    os.register_at_fork(before=hold_back, after_in_parent=let_go)
    open_booth()


def open_booth() -> None:
    """Metrics can be looked at from now on. Ends the process where they must be and cannot."""
    address = config.load().metrics_address
    try:
        BOOTH.open(address, config.given("TASKS_METRICS_ADDRESS"))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        fail(f"TASKS_METRICS_ADDRESS: cannot listen on {address}: {reason}")


def forget(_server: Any, worker: Any) -> None:
    """A worker has ended."""
    BOOTH.forget(worker.pid)


def settle_in(worker: Any) -> None:
    """The worker begins its upkeep, and sends waiting claims home as soon as it is to stop."""
    app = worker.wsgi
    BOOTH.serve(app)
    upkeeping.begin(app)
    signal.signal(signal.SIGTERM, dismissing(app, signal.getsignal(signal.SIGTERM)))
    for number in (signal.SIGQUIT, signal.SIGINT):
        signal.signal(number, dismissing(app, ending(worker)))


def dismissing(app: Any, then: Any) -> Callable[[int, Any], None]:
    """A signal's handler that ends all waiting in `app`, and then does what `then` did."""

    def dismiss(number: int, frame: Any) -> None:
        room_of(app).dismiss()
        if callable(then):
            then(number, frame)

    return dismiss


def ending(worker: Any) -> Callable[[int, Any], None]:
    """A signal's handler that ends a worker at once, the first time.

    gunicorn's own takes the lock of the thread pool. The loop that it interrupts may hold that lock
    already, and so may its own first run: a terminal's Ctrl-C reaches a worker twice, directly and
    through its parent. Either way the worker would wait for itself.
    """

    def end(number: int, frame: Any) -> None:
        if worker.alive:
            worker.alive = False
            sys.exit(0)

    return end


def leave(_server: Any, worker: Any) -> None:
    """The worker's upkeep ends, so that another takes over at once."""
    # A worker that is stopped while it starts has no application yet.
    if app := getattr(worker, "wsgi", None):
        upkeeping.end(app)


class Server(BaseApplication):
    """gunicorn with our settings, told in code what an operator may choose."""

    def __init__(self, given: dict[str, str], **chosen: Any) -> None:
        """`given`: settings of the application; `chosen`: of gunicorn."""
        self.given = given
        self.chosen = chosen
        super().__init__()

    def load_config(self) -> None:
        """Read the settings, at the start and again on SIGHUP."""
        for name, value in {**options(), **self.chosen}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, in each worker."""
        return create_app(self.given)


def fail(reason: object) -> NoReturn:
    """End the process with one line."""
    sys.exit(f"error: {reason}")
