"""The HTTP door: it translates requests into acts of the repository, and answers back."""

from contextlib import AbstractContextManager, nullcontext

from flask import Flask, Request

from app.api import (
    activities,
    claims,
    document,
    envelope,
    health,
    moving,
    pages,
    problems,
    tasks,
    token,
    waiting,
    writing,
)
from app.service import service_of

BLUEPRINTS = (tasks.blp, writing.blp, claims.blp, activities.blp, moving.blp)
WRITERS = (writing.blp.name, claims.blp.name, moving.blp.name)
"""Blueprints whose requests write."""


def turn(app: Flask, asked: Request) -> AbstractContextManager[None]:
    """Within it `asked` is answered: reads before writes, whose turn comes with their body."""
    precedence = service_of(app).database.precedence
    if asked.method in ("GET", "HEAD"):
        return precedence.reading()
    return precedence.writing() if asked.blueprint in WRITERS else nullcontext()


def register(app: Flask) -> None:
    """Hang all routes, pages and error answers on `app`."""
    # A path with a doubled slash is no path of ours; merged, it is answered with a page of HTML.
    app.url_map.merge_slashes = False
    waiting.open_room(app)
    envelope.register(app)
    problems.register(app)
    # An outside identity provider replaces our own: then nothing of it is there.
    own = () if service_of(app).settings.outside else (token.blp,)
    document.register(app, (*own, *BLUEPRINTS))
    app.register_blueprint(pages.pages)
    app.register_blueprint(health.health)
    database = service_of(app).database
    app.teardown_appcontext(lambda _error: database.release())
