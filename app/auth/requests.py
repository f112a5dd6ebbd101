"""A token request, read strictly (RFC 6749, sections 2.3.1 and 3.2)."""

from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.errors import InvalidClientError, InvalidRequestError
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

FORM = "application/x-www-form-urlencoded"
LARGEST = 65_536
"""Bytes of a form."""
MOST_PARAMETERS = 50


class WrongClient(InvalidClientError):
    """The client could not prove itself; unknown, disabled and mistaken ones are told the same."""

    description = "The client is unknown or could not prove itself."
    status_code = 401

    def get_headers(self) -> list[tuple[str, str]]:
        """How to authenticate (RFC 7617)."""
        return [("WWW-Authenticate", 'Basic realm="tasks"')]


@dataclass(frozen=True)
class Proof:
    """How a client proves itself: by which method of Authlib's, under which id and secret."""

    method: str
    client_id: str = ""
    secret: str = field(default="", repr=False)


NO_PROOF = Proof("none")


def body(request: Request) -> bytes:
    """The body of `request`. Raises InvalidRequestError when it is too large."""
    request.max_content_length = LARGEST + 1
    try:
        content = request.get_data(cache=False)
    except RequestEntityTooLarge:
        content = bytes(LARGEST + 1)
    # One that comes in chunks is cut at the limit without a word.
    if len(content) > LARGEST:
        raise InvalidRequestError("The body is too large.", status_code=413)
    return content


def parameters(request: Request) -> dict[str, str]:
    """The parameters of the form; those without value are left out. Raises InvalidRequestError."""
    if request.mimetype != FORM:
        raise InvalidRequestError(f"The body must be sent as {FORM}.")
    try:
        text = body(request).decode()
        pairs = parse_qsl(text, True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise InvalidRequestError("The body is no valid form in UTF-8.") from None
    form = dict(pairs)
    if len(form) < len(pairs):
        raise InvalidRequestError("A parameter is repeated.")
    return {name: value for name, value in form.items() if value}


def basic(header: str) -> Proof:
    """What the header `Authorization` proves; empty name and secret are none. Raises
    WrongClient."""
    scheme, _, encoded = header.partition(" ")
    try:
        if scheme.lower() != "basic":
            raise WrongClient
        name, colon, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        raise WrongClient from None
    if not colon or (secret and not name):
        raise WrongClient
    return Proof("client_secret_basic" if secret else "none", name, secret)


def proof_of(header: str, form: dict[str, str]) -> Proof:
    """How the client proves itself. Raises WrongClient, InvalidRequestError."""
    proof = basic(header) if header else NO_PROOF
    in_body = "client_id" in form or "client_secret" in form
    if in_body and proof != NO_PROOF:
        raise InvalidRequestError("The client proves itself both in the header and in the body.")
    if not in_body:
        return proof
    secret = form.get("client_secret", "")
    return Proof("client_secret_post" if secret else "none", form.get("client_id", ""), secret)


class TokenRequest(OAuth2Request):
    """A token request: its form, and how its client proves itself."""

    def __init__(self, request: Request) -> None:
        """Read `request`. Raises OAuth2Error with what is wrong."""
        # TLS ends in the proxy in front, so the address that we see says nothing about it; Authlib
        # would fail on http. What the request's own Host says is never used.
        super().__init__(request.method, "https://localhost/", headers=request.headers)
        self.parameters = parameters(request)
        self.payload = BasicOAuth2Payload(self.parameters)
        if "grant_type" not in self.parameters:
            raise InvalidRequestError("The parameter 'grant_type' is missing.")
        self.proof = proof_of(request.headers.get("Authorization", ""), self.parameters)
        self.address = request.remote_addr or ""

    @property
    def form(self) -> dict[str, str]:
        """The parameters of the form."""
        return self.parameters
