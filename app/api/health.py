"""What probes ask: whether the process lives, and whether it can serve."""

from flask import Blueprint, Response, current_app

from app.api.answers import as_json
from app.repository.maintenance import schema
from app.service import service_of

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """The process answers; nothing else is looked at."""
    return as_json({"status": "ok"})


@health.get("/readyz")
def readyz() -> Response:
    """The database answers, takes writes, and has what this code needs. Raises Unavailable."""
    words = schema.ready(service_of(current_app).database)
    note = {"note": f"the database {words}"} if words else {}
    return as_json({"status": "ok", **note})
