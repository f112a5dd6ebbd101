"""What one running application holds to tell who calls: keys, verified tokens, tenants."""

from typing import Any

from app.auth.callers import Tenants
from app.auth.keys import SigningKeys
from app.auth.provider import ProviderKeys
from app.auth.throttle import Throttle
from app.auth.tokens import Reader
from app.keyring import key_for
from app.service import Service, service_of

NAME = "tasks.identity"


class Identity:
    """The identity of one application: its own, or an outside provider's by the settings."""

    def __init__(self, service: Service) -> None:
        """Nothing is read or fetched before the first need."""
        settings, database = service.settings, service.database
        self.service = service
        self.outside = settings.outside
        self.tenants = Tenants(database)
        self.own_keys = SigningKeys(settings, database)
        self.throttle = Throttle(database, key_for("failed attempts", settings))
        if self.outside:
            keys = ProviderKeys(settings.auth_jwks_url)
            self.reader = Reader(keys, settings.auth_issuer, settings.auth_audience)
        else:
            self.reader = Reader(self.own_keys, settings.public_url, settings.public_url)


def identity_of(app: Any) -> Identity:
    """The identity of `app`, a Flask application; made when first asked for."""
    found: Identity | None = app.extensions.get(NAME)
    if found is None:
        # Of two threads that are first at once one keeps its own: setdefault is atomic.
        found = app.extensions.setdefault(NAME, Identity(service_of(app)))
    return found
