"""A client while it asks for a token, in the words that Authlib has for one."""

from hmac import compare_digest

from authlib.oauth2.rfc6749 import ClientMixin

from app.auth.allowance import Grant
from app.repository.credentials import ClientAccount, digest_of
from app.repository.tenants import ROOT
from app.vocabulary import Scope

PUBLIC = ClientAccount("public", "public", ROOT, tuple(Scope), b"", 0, None)
"""The built-in client of those who have none: for a user it may what he may, by itself nothing."""
METHODS = ("client_secret_basic", "client_secret_post")
"""How a client proves itself; the public one uses Authlib's `none`."""
NO_DIGEST = bytes(32)
"""No secret is known that has this SHA-256."""


class Client(ClientMixin):
    """A client during one token request; `account` is None for one that does not exist."""

    def __init__(self, account: ClientAccount | None) -> None:
        """Nothing has been granted yet."""
        self.account = account
        self.grant: Grant | None = None

    def get_client_id(self) -> str:
        """The id that its tokens name."""
        return self.account.client_id if self.account else ""

    def check_client_secret(self, client_secret: str) -> bool:
        """Whether this is the secret of a client that may have tokens, in the same time always."""
        kept = self.account.secret_digest if self.account else NO_DIGEST
        same = compare_digest(digest_of(client_secret), kept)
        return same and self.account is not None and self.account.disabled_at is None

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Whether it may prove itself this way: only the public client needs no secret."""
        return (method == "none") == (self.account is PUBLIC)

    def check_grant_type(self, grant_type: str) -> bool:
        """Whether it may use this grant."""
        return grant_type == "password" or self.account is not PUBLIC
