"""What one running application holds: its settings and its database."""

from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.database import Database

NAME = "tasks"


@dataclass(frozen=True)
class Service:
    """The settings and the database that all doors of one application share."""

    settings: Settings
    database: Database


def service_of(app: Any) -> Service:
    """The service that `app`, a Flask application, was made for."""
    found: Service = app.extensions[NAME]
    return found
