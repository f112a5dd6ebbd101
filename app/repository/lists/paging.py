"""Page tokens: the whole question and where its last page ended, signed.

A token carries filters, order, level of detail and the keys of the last row shown; it says nothing
of how the rows were found, outlives restarts, and is good on every server of a deployment.
"""

import hmac
import json
import zlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from app.catalog.rows import Catalog
from app.errors import BadCursor, CursorMismatch, QueryTooLong
from app.repository.lists.query import OrderBy, Query, Values
from app.repository.tenants import Node
from app.vocabulary import Lod

VERSION = 1
SIGNATURE = 16
"""Bytes of the HMAC-SHA256 that are kept: 128 bits."""
LONGEST = 16_384
"""Characters of a token that are looked at."""
MOST_BYTES = 4_096
"""What the filters of a paged list may take (the contract's section 3)."""
MOST_SENT = 8_000
"""Characters of a token that fits a request line, with its path and `limit`."""
SQUEEZED = 256
"""Bytes from which on the content is compressed."""
DEFAULTS: Values = {"allow_deleted": [False]}
"""What filters say that are not said."""
DEFAULT_ORDER: OrderBy = (("asc", "id"),)


@dataclass(frozen=True)
class Question:
    """A list's question with nothing left open, and the keys after which a page begins."""

    filters: Values
    order: OrderBy
    lod: Lod
    after: list[Any] | None = None


def fresh(query: Query) -> Question:
    """The question of a first page."""
    return Question(query.filters, query.order or DEFAULT_ORDER, query.lod or Lod.LONG)


def sizes(catalog: Catalog, filters: Values) -> dict[str, int]:
    """Bytes that each filter takes in a token, as the contract counts them."""
    return {
        name: sum(map(catalog.filter_of[name].kind.size, entries))
        for name, entries in filters.items()
    }


def too_long(taken: dict[str, int]) -> QueryTooLong:
    """The refusal of filters that take these bytes."""
    return QueryTooLong(sum(taken.values()), MOST_BYTES, max(taken, key=taken.__getitem__))


def check_size(catalog: Catalog, query: Query) -> None:
    """Refuse filters that no token could carry. Raises QueryTooLong."""
    taken = sizes(catalog, query.filters)
    if sum(taken.values()) > MOST_BYTES:
        raise too_long(taken)


def packed(content: Any) -> bytes:
    """JSON, compressed when it is long; the first byte says which."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return b"z" + zlib.compress(text, 9) if len(text) > SQUEEZED else b"p" + text


def unpacked(raw: bytes) -> Any:
    """The content that `packed` packed."""
    return json.loads(zlib.decompress(raw[1:]) if raw[:1] == b"z" else raw[1:])


def signature(key: bytes, raw: bytes) -> bytes:
    """What proves that `raw` was made here."""
    return hmac.digest(key, raw, sha256)[:SIGNATURE]


def token(key: bytes, catalog: Catalog, node: Node, question: Question, keys: list[Any]) -> str:
    """The token for the page after the row with `keys`. `key`: 32 bytes, this purpose's own.

    Raises QueryTooLong: without a limit the filters may be longer than a token that can be sent.
    """
    shown = [value.hex() if isinstance(value, bytes) else value for value in keys]
    content = [
        VERSION, catalog.name, node.id, question.filters, question.order, question.lod.value, shown
    ]  # fmt: skip
    raw = packed(content)
    text = urlsafe_b64encode(signature(key, raw) + raw).rstrip(b"=").decode()
    if len(text) > MOST_SENT:
        raise too_long(sizes(catalog, question.filters))
    return text


def opened(key: bytes, text: str) -> list[Any]:
    """The content of a token made here. Raises BadCursor."""
    try:
        raw = urlsafe_b64decode(text[:LONGEST].encode("ascii") + b"=" * (-len(text) % 4))
    except ValueError:
        raise BadCursor from None
    proof, content = raw[:SIGNATURE], raw[SIGNATURE:]
    # Base64 has several spellings of one content; only the one that was given out counts.
    canonical = urlsafe_b64encode(raw).rstrip(b"=").decode()
    if not hmac.compare_digest(proof, signature(key, content)) or canonical != text:
        raise BadCursor
    found = unpacked(content)
    if found[0] != VERSION:
        raise BadCursor
    return list(found)


def continued(key: bytes, catalog: Catalog, node: Node, query: Query) -> Question:
    """The question that the token in `query` continues. Raises BadCursor, CursorMismatch."""
    _, name, tenant, filters, order, lod, keys = opened(key, query.after or "")
    if (name, tenant) != (catalog.name, node.id):
        raise BadCursor
    pairs = tuple((direction, field) for direction, field in order)
    question = Question(filters, pairs, Lod(lod), keys)
    check_repeated(query, question)
    return question


def check_repeated(query: Query, question: Question) -> None:
    """What is said beside a token must say the same. Raises CursorMismatch."""
    differing = [
        name
        for name, entries in query.filters.items()
        if alike(entries) != alike(question.filters.get(name, DEFAULTS.get(name, [])))
    ]
    if query.order is not None and query.order != question.order:
        differing.append("order")
    if query.lod is not None and query.lod != question.lod:
        differing.append("lod")
    if differing:
        raise CursorMismatch(differing)


def alike(entries: list[Any]) -> set[str]:
    """Entries as a set, whatever they are made of."""
    return {json.dumps(entry) for entry in entries}
