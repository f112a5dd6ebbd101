"""Every refusal: its docstring is the message, `code` the stable word that callers can rely on.

A refusal is raised with the facts that its message names. The HTTP door turns it into an answer;
nothing here knows of HTTP beyond the status number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request: parameter or place, value, what would do."""

    parameter: str
    value: str
    message: str


class Refusal(Exception):
    """The request is refused."""

    status: ClassVar[int] = 400
    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Bad user input"
    parameters: Sequence[str] = ()
    """The query's parameters that the refusal as a whole is about."""

    def __init__(self, **facts: Any) -> None:
        """Keep the facts that the message names."""
        self.facts = facts
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The docstring with the facts filled in."""
        return " ".join((type(self).__doc__ or "").split()).format(**self.facts)


def refusals(kind: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """All refusals that a caller can meet, in the order in which they are written."""
    for child in kind.__subclasses__():
        yield child
        yield from refusals(child)


SUMMED = 100
"""Faults of which a message says all; the others stand in `errors` alone."""


class BadRequest(Refusal):
    """{summary}"""

    code = "bad_request"

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep all the faults of the request; there is at least one."""
        self.faults = tuple(faults)
        said = [fault.message for fault in self.faults[:SUMMED]]
        if more := len(self.faults) - len(said):
            said.append(f"and {more} more faults")
        super().__init__(summary="; ".join(said))


class BadCursor(Refusal):
    """The page token in 'after' was not issued here for this list, or is damaged: start again
    without 'after'."""

    code = "bad_cursor"
    parameters = ("after",)


class CursorMismatch(Refusal):
    """The page token in 'after' continues a list that differs from this request in {names}: leave
    that out, or repeat what the first request said."""

    code = "cursor_mismatch"

    def __init__(self, parameters: Sequence[str]) -> None:
        """`parameters`: all those that say something else; there is at least one."""
        super().__init__(names=", ".join(f"'{name}'" for name in parameters))
        self.parameters = parameters


class QueryTooLong(Refusal):
    """The filters take {size} bytes, more than the {limit} that a page token can carry: ask for
    fewer values at a time, or, where one page holds all, without 'limit'."""

    code = "query_too_long"

    def __init__(self, size: int, limit: int, longest: str) -> None:
        """`longest`: the filter that takes most of the bytes."""
        super().__init__(size=size, limit=limit)
        self.parameters = (longest,)


class NotAuthenticated(Refusal):
    """{reason}"""

    status = 401
    code = "unauthorized"
    title = "Invalid or missing access token"

    def __init__(self, reason: str, presented: bool = True) -> None:
        """`presented`: whether credentials came with the request at all."""
        super().__init__(reason=reason)
        self.challenge = 'Bearer realm="tasks"' + ', error="invalid_token"' * presented
        """What `WWW-Authenticate` says (RFC 6750, section 3)."""


class NotAuthorized(Refusal):
    """The access token may not do this: one of these scopes is needed: {scopes}."""

    status = 403
    code = "forbidden"
    title = "Insufficient privileges"

    def __init__(self, scopes: Sequence[str]) -> None:
        """`scopes`: those of which any one would do."""
        super().__init__(scopes=", ".join(scopes))
        self.challenge = (
            f'Bearer realm="tasks", error="insufficient_scope", scope="{" ".join(scopes)}"'
        )
        """What `WWW-Authenticate` says (RFC 6750, section 3)."""


class NotFound(Refusal):
    """The {kind} does not exist."""

    status = 404
    code = "not_found"
    title = "Not found"


class NoSuchPath(Refusal):
    """There is nothing at this path; the calls are listed at /docs."""

    status = 404
    code = "no_such_path"
    title = "Not found"


class MethodNotAllowed(Refusal):
    """This path does not answer {method}; it answers {allowed}."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class NameTaken(Refusal):
    """There is a {kind} called '{name}' already."""

    status = 409
    code = "name_taken"
    title = "Conflict"


class TenantInUse(Refusal):
    """The tenant {tenant} cannot be deleted while it owns {owned}."""

    status = 409
    code = "tenant_in_use"
    title = "Conflict"


class UuidConflict(Refusal):
    """The UUID {uuid} belongs to another {kind} already."""

    status = 409
    code = "uuid_conflict"
    title = "Conflict"

    def __init__(self, taken: Mapping[int, str], kind: str, bulk: bool = False) -> None:
        """`taken`: place among those that were sent, and UUID; `bulk`: whether there are places."""
        self.taken = taken
        self.kind = kind
        words = (f"{uuid} (items[{place}])" if bulk else uuid for place, uuid in taken.items())
        super().__init__(uuid=", ".join(words), kind=kind)
        self.faults = tuple(
            Fault(
                f"items[{place}].uuid" if bulk else "uuid",
                uuid,
                f"'{uuid}' belongs to another {kind} already",
            )
            for place, uuid in taken.items()
        )

    def of_bulk(self) -> "UuidConflict":
        """The same, telling the places of the items."""
        return UuidConflict(self.taken, self.kind, bulk=True)


class IdempotencyConflict(Refusal):
    """This Idempotency-Key was used with another body already."""

    status = 409
    code = "idempotency_conflict"
    title = "Conflict"


class InvalidTransition(Refusal):
    """The {kind} is {state} and cannot take the step '{step}'; it can take: {allowed}."""

    status = 409
    code = "invalid_transition"
    title = "Conflict"


class LeaseLost(Refusal):
    """The lease is not, or no longer, valid for this task: nothing was changed."""

    status = 409
    code = "lease_lost"
    title = "Conflict"


class NotCancellable(Refusal):
    """The task was enqueued with cancellable=false."""

    status = 409
    code = "not_cancellable"
    title = "Conflict"


class NotCompleted(Refusal):
    """Only a completed task can be deleted; this one is {state}."""

    status = 409
    code = "not_completed"
    title = "Conflict"


class BodyTooLarge(Refusal):
    """The body may be {limit} bytes long at most."""

    status = 413
    code = "body_too_large"
    title = "Content too large"


class RequestLineTooLong(Refusal):
    """The request line may be {limit} bytes long at most: ask for fewer values at a time."""

    status = 414
    code = "request_line_too_long"
    title = "URI too long"


class UnsupportedMediaType(Refusal):
    """The body must be sent as application/json."""

    status = 415
    code = "unsupported_media_type"
    title = "Unsupported media type"


class TooManyAttempts(Refusal):
    """Too many failed attempts: try again in {seconds} seconds."""

    status = 429
    code = "too_many_attempts"
    title = "Too many requests"


class HeadersTooLong(Refusal):
    """A request may have {fields} headers of {limit} bytes at most."""

    status = 431
    code = "headers_too_long"
    title = "Request header fields too large"


class InternalError(Refusal):
    """The server failed; nothing was half done. Its log says why under this request id."""

    status = 500
    code = "internal_error"
    title = "Server error"


class Unavailable(Refusal):
    """The service cannot answer just now ({reason}): try again in {seconds} seconds."""

    status = 503
    code = "unavailable"
    title = "Service unavailable"
    fate: Any = None
    """What became of the transaction, where a database failed: see `failures`."""

    def __init__(self, reason: str, seconds: int = 2) -> None:
        """`reason`: for people, without internals; `seconds`: when a retry makes sense."""
        super().__init__(reason=reason, seconds=seconds)


class QueryTooSlow(Unavailable):
    """The query was given up after {limit} seconds: narrow it by filters, or order it otherwise."""

    code = "query_too_slow"

    def __init__(self, limit: int) -> None:
        """`limit`: seconds that a list or count may take."""
        Refusal.__init__(self, limit=limit, seconds=30)
