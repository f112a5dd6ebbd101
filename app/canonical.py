"""One spelling of a JSON value: equal values have equal digests, however they were written."""

import json
from hashlib import sha256
from typing import Any

WRITER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
SORTING = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True)
"""Made once: what `json.dumps` is told otherwise than usual makes a new one at each call."""


def compact(value: Any) -> str:
    """JSON without blanks, members in the order given."""
    return WRITER.encode(value)


def plain(value: Any) -> Any:
    """`value` with numbers of one kind: 1.0 is 1, and -0.0 is 0."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value


def digest(value: Any) -> bytes:
    """SHA-256 of a JSON value: the same for values that are equal."""
    text = SORTING.encode(plain(value))
    return sha256(text.encode("utf-8", "surrogatepass")).digest()
