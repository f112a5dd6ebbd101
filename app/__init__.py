"""An open task-management service, compatible with the public Tasks API.

The rooms, from the doors down; imports point down only:

    starting, serving   what `make run` and `make serve` start; gunicorn
    cli, upkeeping      commands; the reaper's loop
    demo                demonstration data and agents
    api, observing      HTTP: blueprints, schemas, problems, the page; log lines and metrics
    auth                who calls: tokens issued and read
    repository          the only SQL
    transitions         what a step or a timer makes of a task
    catalog             what each collection can be asked and answers: rows
    models              the tables
    service, database, signals, keyring, passwords, connections, lifecycle, engines, precedence,
    failures, hosts, turns, config, errors, clock, logs, vocabulary, addresses, canonical, standins
"""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask, request

from app import api, cli, config
from app.database import connect
from app.observing import lines
from app.service import NAME, Service
from app.standins import itself


class Application(Flask):
    """Flask, told that no view and no hook of ours is a coroutine."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """`func` as it is: Flask looks into each of them at every request."""
        return func

    def dispatch_request(self) -> Any:
        """What the view of the request answers, in its turn."""
        with api.turn(self, itself(request)):
            return super().dispatch_request()


def create_app(settings: Mapping[str, Any] | None = None) -> Flask:
    """The application. `settings`: names as in `flask settings`, over those of the environment.

    Nothing is opened or connected before the first request. Raises BadSetting.
    """
    chosen = config.load(settings)
    app = Application(__name__, static_folder=None)
    app.extensions[NAME] = Service(chosen, connect(chosen))
    lines.begin()
    api.register(app)
    cli.register(app)
    return app
