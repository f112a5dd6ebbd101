"""Reading requests for marshmallow's schemas, and saying all that is wrong with them at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from flask import Request, request
from marshmallow import RAISE, Schema, ValidationError
from webargs.flaskparser import FlaskParser

from app.errors import BadRequest, Fault
from app.vocabulary import meant

UNKNOWN = "unknown"
"""The message with which our schemas mark a parameter that they do not have."""
EXPLAINED = 20
"""Unknown parameters of one request that are told which ones exist."""
SHORT = 512
"""Bytes of the query strings whose reading is remembered."""


def decoded(raw: bytes) -> str:
    """`raw`, percent-encoded, as text; bytes that are not UTF-8 become lone surrogates."""
    return unquote_to_bytes(raw.replace(b"+", b" ")).decode(errors="surrogateescape")


def printable(text: str) -> str:
    """`text` with bytes that are not UTF-8 written out, so that an answer can repeat it."""
    return text.encode(errors="surrogateescape").decode(errors="backslashreplace")


def entries(query_string: bytes) -> dict[str, list[str]]:
    """The parameters of a raw query string, by name, in the order given."""
    found: dict[str, list[str]] = {}
    for pair in query_string.split(b"&"):
        if pair:
            name, _, value = pair.partition(b"=")
            found.setdefault(decoded(name), []).append(decoded(value))
    return found


@lru_cache(maxsize=512)
def familiar(schema: Schema, query_string: bytes) -> Any:
    """What `schema` reads in a query string; nobody may change it. Raises ValidationError.

    Dashboards and pollers send the same one again and again: 150 us of an answer's 3,000.
    """
    return schema.load(entries(query_string))


def unknown(name: str, known: Sequence[str] | None) -> str:
    """What is said of a parameter that does not exist; `known`: those that do, if told."""
    if not name:
        return "a parameter without a name is not accepted"
    accepted = "" if known is None else f": {known_names(name, sorted(known))}"
    return f"bad condition field '{name}'{accepted}"


def known_names(name: str, known: Sequence[str]) -> str:
    """The names that would be accepted instead of `name`, the likeliest first."""
    if not known:
        return "none is accepted"
    near = meant(name, known)
    hint = f"did you mean '{near}'? " if near else ""
    return f"{hint}accepted are: {', '.join(known)}"


def faults(messages: Any, schema: Schema, data: Any) -> Iterator[Fault]:
    """The faults that a schema found, in the order in which `data` gives what is at fault."""
    places = {name: place for place, name in enumerate(data)} if isinstance(data, dict) else {}
    strange = 0
    for name, said in sorted(messages.items(), key=lambda item: places.get(item[0], len(places))):
        for message in said if isinstance(said, list) else [said]:
            if isinstance(message, Fault):
                yield replace(message, value=printable(message.value))
            elif message == UNKNOWN:
                given = data.get(name) if isinstance(data, dict) else None
                value = str(given[0]) if isinstance(given, list) else ""
                shown = printable(name)
                # Known names after each of thousands would make an answer of megabytes.
                strange += 1
                known = list(schema.fields) if strange <= EXPLAINED else None
                yield Fault(shown, printable(value), unknown(shown, known))
            else:
                yield Fault(name, "", str(message))


class QueryParser(FlaskParser):
    """Reads query strings as they came, strictly, and refuses in one shape."""

    DEFAULT_VALIDATION_STATUS = 400
    DEFAULT_UNKNOWN_BY_LOCATION = {"query": RAISE}

    def parse(self, argmap: Any, req: Any = None, **options: Any) -> Any:
        """What the request says, as the schema `argmap` reads it. Raises BadRequest."""
        raw = (req or request).query_string
        # A page's token comes once.
        if options.get("location") == "query" and len(raw) <= SHORT and b"after=" not in raw:
            try:
                return familiar(argmap, raw)
            except ValidationError:
                pass  # read again, for all that is to be said of it
        return super().parse(argmap, req, **options)

    def load_querystring(self, req: Request, schema: Schema) -> dict[str, list[str]]:
        """Every parameter with all its entries."""
        return entries(req.query_string)

    def handle_error(
        self, error: ValidationError, req: Request, schema: Schema, **_: Any
    ) -> NoReturn:
        """Raise BadRequest with all the faults."""
        said: Any = error.messages
        raise BadRequest(list(faults(said.get("query", said), schema, error.data))) from None
