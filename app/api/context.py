"""What a view needs of its surroundings: the database, the keys, the caller, the time."""

from functools import lru_cache

from flask import current_app, g

from app.auth.callers import Caller
from app.config import Settings
from app.database import Database
from app.keyring import key_for
from app.service import Service, service_of
from app.standins import itself


def database() -> Database:
    """The database of the application that answers."""
    return service().database


def service() -> Service:
    """The service of the application that answers."""
    return service_of(itself(current_app))


def caller() -> Caller:
    """Who calls, as the route's protector found."""
    found: Caller = g.caller
    return found


@lru_cache(maxsize=64)
def derived(purpose: str, settings: Settings) -> bytes:
    """The key for a purpose, derived once."""
    return key_for(purpose, settings)


def purpose_key(purpose: str) -> bytes:
    """The deployment's key for `purpose`: 32 bytes."""
    return derived(purpose, service().settings)
