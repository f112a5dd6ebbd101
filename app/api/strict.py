"""Bodies read strictly: size, media type, UTF-8, and JSON that means one thing only."""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any, NoReturn

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from app.errors import BadRequest, BodyTooLarge, Fault, UnsupportedMediaType

JSON = "application/json"
DIGITS_OF_LENGTH = 18
"""Digits of a length that may still be one."""
BODY = 1 << 20
"""Bytes of a body."""
BULK = 16 << 20
"""Bytes of a body with many tasks."""
DEEPEST = 64
"""Levels of nesting."""
DIGITS = 66_000
"""Digits of all long whole numbers of a body: no part of it may be longer than 64 KiB, and twice
the digits take four times as long to read."""
LONG = 300
"""Digits from which on a number is long: no double has more."""

# Python refuses to read or write numbers of more than 4,300 digits unless told otherwise; those
# that come in are given back as they were.
sys.set_int_max_str_digits(DIGITS)


def refuse(message: str, value: str = "") -> NoReturn:
    """The body as a whole is refused."""
    raise BadRequest([Fault("body", value, f"the body {message}")])


def content(request: Request, limit: int) -> bytes:
    """The body's bytes. Raises BodyTooLarge, UnsupportedMediaType, BadRequest."""
    raw = announced(request.environ, limit)
    if raw is None:
        raw = streamed(request, limit)
    if raw and request.environ.get("CONTENT_TYPE") != JSON and request.mimetype != JSON:
        raise UnsupportedMediaType()
    return raw


def announced(environ: dict[str, Any], limit: int) -> bytes | None:
    """A body of which the head says how long it is, as nearly all do; None: it does not.

    Werkzeug's way to the same bytes takes several times as long. Raises BodyTooLarge, BadRequest.
    """
    told = environ.get("CONTENT_LENGTH") or ""
    if not (told.isascii() and told.isdigit()) or "HTTP_TRANSFER_ENCODING" in environ:
        return None
    if len(told) > DIGITS_OF_LENGTH or int(told) > limit:
        raise BodyTooLarge(limit=limit)
    try:
        raw: bytes = environ["wsgi.input"].read(int(told))
    except (OSError, ValueError) as error:
        raise ClientDisconnected() from error
    if len(raw) < int(told):
        refuse("breaks off: it is shorter than its head says")
    return raw


def streamed(request: Request, limit: int) -> bytes:
    """Any other body. Raises BodyTooLarge."""
    request.max_content_length = limit + 1
    try:
        raw = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise BodyTooLarge(limit=limit) from None
    # One that comes in chunks is cut at the limit without a word.
    if len(raw) > limit:
        raise BodyTooLarge(limit=limit)
    return raw


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object, none of whose names comes twice. Raises BadRequest."""
    made = dict(pairs)
    if len(made) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name, count in times.items() if count > 1)
        refuse(f"has the name '{printable(twice)[:100]}' twice in one object", printable(twice))
    return made


def printable(text: str) -> str:
    """`text` with what UTF-8 cannot carry replaced."""
    return text.encode("utf-8", "replace").decode()


def finite(text: str) -> float:
    """A number that a double can hold. Raises BadRequest."""
    number = float(text)
    if number in (float("inf"), float("-inf")):
        refuse("has a number beyond the range of doubles", text[:100])
    return number


class Whole:
    """Reads the whole numbers of one body, of any size."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self.left = DIGITS

    def __call__(self, text: str) -> int:
        """The number. Raises BadRequest."""
        if len(text) > LONG:
            self.left -= len(text)
            if self.left < 0:
                refuse(f"has numbers of more than {LONG} digits with over {DIGITS:,} in all")
        return int(text)


def no_number(text: str) -> NoReturn:
    """NaN and Infinity are no JSON. Raises BadRequest."""
    refuse(f"is not JSON: {text} is no number", text)


def decoder() -> json.JSONDecoder:
    """What reads one body."""
    return json.JSONDecoder(
        object_pairs_hook=unique, parse_float=finite, parse_int=Whole(), parse_constant=no_number
    )


def levels(value: Any) -> Iterator[Any]:
    """The levels of nesting of `value`, from the outermost on, as lists of containers."""
    level = [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        yield level
        level = [
            inner for item in level for inner in (item.values() if isinstance(item, dict) else item)
        ]


def parsed(raw: bytes) -> Any:
    """The value of a JSON text. Raises BadRequest for anything that is not strictly JSON."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse("is not valid UTF-8")
    try:
        value = decoder().decode(text)
    except json.JSONDecodeError as error:
        refuse(f"is not JSON: {error.msg} at character {error.pos}", text[error.pos :][:20])
    except RecursionError:
        refuse(f"is nested deeper than {DEEPEST} levels")
    check(text, value)
    return value


def check(text: str, value: Any) -> None:
    """Raise BadRequest when `value` is nested too deeply or holds half a character."""
    if text.count("[") + text.count("{") > DEEPEST and deeper(value):
        refuse(f"is nested deeper than {DEEPEST} levels")
    if "\\u" in text:
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            refuse("has a lone surrogate, which is half a character")


def deeper(value: Any) -> bool:
    """Whether `value` has more levels of nesting than are accepted."""
    return any(depth >= DEEPEST for depth, _ in enumerate(levels(value)))


def json_object(raw: bytes) -> dict[str, Any]:
    """The JSON object that is the body; {} when there is none. Raises BadRequest."""
    value = parsed(raw) if raw.strip() else {}
    if not isinstance(value, dict):
        refuse("must be a JSON object")
    return value
