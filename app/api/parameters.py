"""The parameters of query strings: how their entries are read, and what is said of bad ones."""

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields

from app.api.parsing import printable
from app.catalog.kinds import COMPARISON, Kind, When
from app.catalog.rows import Catalog, Filter
from app.catalog.times import LAST, instant, written
from app.errors import Fault
from app.repository.lists.query import PAGE
from app.vocabulary import meant

LONGEST = 1_024
"""Characters of one entry; page tokens alone may be longer."""


def checked(text: str, most: int = LONGEST) -> str:
    """`text`, when it is one that any parameter could have. Raises ValueError."""
    if not text:
        raise ValueError("a value is needed after '='")
    if not text.isascii() and printable(text) != text:
        raise ValueError("it is not valid UTF-8 once percent-decoded")
    if "\0" in text:
        raise ValueError("the character NUL is not accepted")
    if len(text) > most:
        raise ValueError(f"at most {most} characters are accepted")
    return text


def read(kind: Kind, text: str) -> Any:
    """The value of one entry. Raises ValueError with what is wrong or would be accepted."""
    return kind.read(checked(text, 8_190 if isinstance(kind, Token) else LONGEST))


def fault(name: str, text: str, reason: object) -> Fault:
    """A fault of one entry, in one sentence."""
    shown = printable(text if len(text) <= 100 else text[:100] + "...")
    return Fault(name, text, f"'{name}' has the value '{shown}': {reason}")


class Many(fields.List[Any]):
    """A filter of which several entries are accepted -> list of values."""

    def __init__(self, row: Filter, **options: Any) -> None:
        """Document and read entries as `row` says."""
        self.row = row
        super().__init__(entry_field(row.kind), **options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[Any]:
        found, wrong = entries_of(self.row.name, self.row.kind, value)
        if wrong:
            raise ValidationError(wrong)
        return found


class One(fields.Field[Any]):
    """A parameter of which one entry is accepted -> list of its one value."""

    def __init__(self, name: str, kind: Kind, **options: Any) -> None:
        """Read the entry as `kind` says."""
        self.parameter = name
        self.kind = kind
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[Any]:
        found, wrong = entries_of(self.parameter, self.kind, value)
        if len(value) > 1:
            words = f"a single entry is accepted{instead(self.kind, value)}"
            wrong.insert(0, fault(self.parameter, value[-1], words))
        if wrong:
            raise ValidationError(wrong)
        return found


def entries_of(name: str, kind: Kind, texts: list[str]) -> tuple[list[Any], list[Fault]]:
    """The values of the entries that can be read, and the faults of the others."""
    found, wrong = [], []
    for text in texts:
        try:
            found.append(read(kind, text))
        except ValueError as reason:
            wrong.append(fault(name, text, reason))
    return found, wrong


LOWER, UPPER = {"ge": 0, "gt": 1}, {"lt": 0, "le": 1}
"""Nanoseconds from a comparison's time to the bound of the `between` that says the same."""


def instead(kind: Kind, texts: list[str]) -> str:
    """How two bounds of a time are said in one entry; empty for other kinds."""
    if not isinstance(kind, When):
        return ""
    begin, end = bound(texts, LOWER, "FROM"), bound(texts, UPPER, "TO")
    if begin != "FROM" and end != "TO" and instant(begin) >= instant(end):
        begin, end = "FROM", "TO"
    return f"; between({begin},{end}) says two bounds at once"


def bound(texts: list[str], steps: Mapping[str, int], unknown: str) -> str:
    """The time of the one comparison among `texts` with an operator of `steps`, else `unknown`."""
    found = [match for match in map(COMPARISON.fullmatch, texts) if match and match[1] in steps]
    if len(found) != 1:
        return unknown
    operator, text = found[0].groups()
    try:
        moment = instant(text) + steps[operator]
    except ValueError:
        return unknown
    if not steps[operator]:
        return text
    return written(moment) if moment <= LAST else unknown


def entry_field(kind: Kind) -> Any:
    """What documents one entry of `kind`."""
    types: dict[str, Any] = {"integer": fields.Integer, "boolean": fields.Boolean}
    schema = kind.schema()
    field = types.get(schema["type"], fields.String)
    return field(metadata={key: value for key, value in schema.items() if key != "type"})


class Limit(Kind):
    """A page's size."""

    def read(self, text: str) -> int:
        """The number."""
        if not re.fullmatch("[0-9]{1,19}", text) or not 1 <= int(text) <= PAGE:
            raise ValueError(f"a whole number from 1 to {PAGE} is accepted")
        return int(text)


class Token(Kind):
    """A page token; whether it is ours is seen later."""

    def read(self, text: str) -> str:
        """The token."""
        return text


class Orders(fields.Field[Any]):
    """`order`: operators with fields, repeated or separated by commas -> list of pairs."""

    TERM = re.compile(r"(asc|desc)\(([A-Za-z]+)\)")

    def __init__(self, catalog: Catalog, **options: Any) -> None:
        """Accept the order fields of `catalog`."""
        self.names = list(catalog.order_of)
        super().__init__(**options)

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> list[tuple[str, str]]:
        wrong: list[Fault] = []
        terms: list[tuple[str, str]] = []
        for text in value:
            try:
                terms += self.read(text, {name for _, name in terms})
            except ValueError as reason:
                wrong.append(fault("order", text, reason))
        if wrong:
            raise ValidationError(wrong)
        return terms

    def read(self, text: str, seen: set[str]) -> list[tuple[str, str]]:
        """The pairs of one entry. Raises ValueError."""
        checked(text)
        terms = []
        for part in text[: LONGEST + 1].split(","):
            term = self.TERM.fullmatch(part)
            if not term or term[2] not in self.names:
                raise ValueError(self.accepted(part))
            if term[2] in seen:
                raise ValueError(f"the field {term[2]} is there twice")
            seen.add(term[2])
            terms.append((term[1], term[2]))
        return terms

    def accepted(self, part: str) -> str:
        """What would be accepted instead of `part`."""
        near = meant(part, [f"{way}({name})" for name in self.names for way in ("asc", "desc")])
        return (
            "asc(field) or desc(field) is accepted, several separated by commas; "
            f"field is one of {', '.join(self.names)}{f'; did you mean {near}?' if near else ''}"
        )
