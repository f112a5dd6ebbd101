"""The contract's query grammar, read independently: nothing here knows the application.

`read(collection, query_string)` gives what a list request asks, or raises Refused with the names of
all the parameters that are at fault.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

NANO = 10**9
STATES = ["enqueued", "assigned", "started", "paused", "completed"]
PRIORITIES = ["low", "belowNormal", "normal", "aboveNormal", "high"]
RESULTS = ["ok", "error", "warning", "cancelled", "abandoned", "timedout"]
LEVELS = ["tiny", "short", "long", "full", "debug"]

COMMON = """
id:number uuid:uuid type:text startedBy:like policyId:text policyName:like policyType:text
resourceId:text resourceName:like resourceType:text workflowId:number state:state resultCode:result
startedAt:time updatedAt:time completedAt:time tag:text allow_deleted:flag
lod:level limit:limit after:token order:order
"""
PARAMETERS = {
    "tasks": COMMON + "executorId:word queue:text priority:priority enqueuedAt:time "
    "assignedAt:time affinityAgentId:word affinityClusterId:word",
    "activities": COMMON + "taskId:number parentActivityId:number createdAt:time sustainable:flag",
}
KINDS = {
    collection: dict(pair.split(":") for pair in text.split())
    for collection, text in PARAMETERS.items()
}
ITEM_KINDS = {"lod": "shown", "allow_deleted": "flag"}
ORDER_FIELDS = {
    "tasks": "id uuid type priority startedByUser state enqueuedAt assignedAt startedAt updatedAt "
    "completedAt",
    "activities": "id uuid type startedByUser state createdAt startedAt updatedAt completedAt",
}
ORDERS = {collection: names.split() for collection, names in ORDER_FIELDS.items()}
SINGLE = {"time", "word", "flag", "level", "shown", "limit", "token"}


class Refused(Exception):
    """The request is bad input; `names`: the parameters at fault, None for one without a name that
    can be read."""

    def __init__(self, names: set[str | None]) -> None:
        super().__init__(sorted(map(str, names)))
        self.names = names


@dataclass
class Ask:
    """What a list request says; what it does not say is absent."""

    filters: dict[str, list[Any]] = field(default_factory=dict)
    order: list[tuple[str, str]] = field(default_factory=list)
    lod: str = "long"
    limit: int | None = None
    after: str | None = None


def nanoseconds(moment: datetime) -> int:
    """Whole seconds of `moment` since the epoch, in nanoseconds."""
    gone = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (gone.days * 86_400 + gone.seconds) * NANO


EDGES = nanoseconds(datetime(1678, 1, 1)), nanoseconds(datetime(2262, 1, 1))
WRITTEN = (
    ("%Y-%m-%d", "%Y-%m-%d"),
    ("%a, %d %b %Y %H:%M:%S GMT",) * 2,
    ("%A, %d-%b-%y %H:%M:%S GMT",) * 2,
    ("%a %b %d %H:%M:%S %Y",) * 2,
    ("%a %b %d %H:%M:%S %Y", "%a %b %e %H:%M:%S %Y"),
)


def calendar(text: str) -> int:
    """A date, or one of the formats with words: read leniently, then it must write the same."""
    for reading, writing in WRITTEN:
        try:
            moment = datetime.strptime(text, reading)
        except ValueError:
            continue
        if moment.strftime(writing) == text:
            return nanoseconds(moment)
    raise ValueError(text)


def rfc3339(text: str) -> int:
    """Date, time, up to nine digits of fraction, and a zone."""
    tail = re.fullmatch(r"(?:\.([0-9]{1,9}))?(?:[Zz]|([+ -])([0-9]{2}):([0-9]{2}))", text[19:])
    head = text[:10] + text[10:19].upper()
    moment = datetime.strptime(head, "%Y-%m-%dT%H:%M:%S")
    if tail is None or moment.strftime("%Y-%m-%dT%H:%M:%S") != head:
        raise ValueError(text)
    fraction, sign, hours, minutes = tail.groups("0")
    if int(hours) > 23 or int(minutes) > 59:
        raise ValueError(text)
    east = (int(hours) * 60 + int(minutes)) * 60 * NANO * (-1 if sign == "-" else 1)
    return nanoseconds(moment) + int(fraction.ljust(9, "0")) - east


def when(text: str) -> int:
    """Epoch nanoseconds of a time in any of the six formats. Raises ValueError."""
    if re.fullmatch("[0-9]{1,10}", text):
        moment = int(text) * NANO
    elif re.fullmatch("[0-9]{1,19}ns", text):
        moment = int(text[:-2])
    else:
        moment = rfc3339(text) if text[10:11] in ("T", "t") else calendar(text)
    if not EDGES[0] <= moment < EDGES[1]:
        raise ValueError(text)
    return moment


def comparison(text: str) -> tuple[Any, ...]:
    """An operator and its times."""
    if text in ("isnull()", "notnull()"):
        return (text[:-2],)
    operator, bracket, rest = text.partition("(")
    if bracket and rest.endswith(")") and operator in ("lt", "le", "gt", "ge", "ne"):
        return (operator, when(rest[:-1]))
    if bracket and rest.endswith(")") and operator == "between":
        return ("between", *span(rest[:-1].split(",")))
    return ("eq", when(text))


def span(parts: list[str]) -> tuple[int, int]:
    """The two times that one of the commas between `parts` leaves, the earlier first."""
    for cut in range(1, len(parts)):
        try:
            pair = when(",".join(parts[:cut])), when(",".join(parts[cut:]))
        except ValueError:
            continue
        if pair[0] < pair[1]:
            return pair
    raise ValueError(parts)


def demand(text: str, fits: object) -> str:
    """`text`, when it fits. Raises ValueError."""
    if not fits:
        raise ValueError(text)
    return text


def like(text: str) -> tuple[str, str]:
    """How text is looked for: as a whole, or as a part whatever its case."""
    if text.startswith("like(") and text.endswith(")"):
        return "like", demand(text[5:-1], text != "like()").casefold()
    return "is", text


def number(text: str, most: int = 2**63 - 1) -> int:
    """A number from 1 to `most`."""
    value = int(demand(text, re.fullmatch("[0-9]{1,19}", text)))
    demand(text, 1 <= value <= most)
    return value


HEX = "-".join(f"[0-9a-fA-F]{{{count}}}" for count in (8, 4, 4, 4, 12))
READERS: dict[str, Callable[[str], Any]] = {
    "number": number,
    "uuid": lambda text: demand(text, re.fullmatch(HEX, text)).lower(),
    "text": str,
    "word": str,
    "token": str,
    "like": like,
    "state": lambda text: demand(text, text in STATES),
    "priority": lambda text: demand(text, text in PRIORITIES),
    "result": lambda text: demand(text, text in RESULTS),
    "time": comparison,
    "flag": lambda text: demand(text, text in ("true", "false", "1", "0")) in ("true", "1"),
    "level": lambda text: demand(text, text in (*LEVELS, "count")),
    "shown": lambda text: demand(text, text in LEVELS),
    "limit": lambda text: number(text, 1000),
}


def decoded(raw: bytes) -> str:
    """Percent-decoded UTF-8. Raises ValueError."""
    blank = raw.replace(b"+", b" ")
    return re.sub(
        b"%([0-9a-fA-F]{2})", lambda found: bytes([int(found[1], 16)]), blank
    ).decode("utf-8")  # fmt: skip


def entries(raw: bytes, faults: set[str | None]) -> dict[str, list[str]]:
    """The entries of each parameter; what cannot be read is put among the faults."""
    found: dict[str, list[str]] = {}
    for pair in filter(None, raw.split(b"&")):
        name = None
        try:
            name = decoded(pair.partition(b"=")[0])
            found.setdefault(name, []).append(decoded(pair.partition(b"=")[2]))
        except ValueError:
            faults.add(name)
    return found


def plain(name: str, text: str) -> str:
    """`text`, when any parameter could have it. Raises ValueError."""
    return demand(text, text and "\0" not in text and (name == "after" or len(text) <= 1024))


def orders(texts: list[str], fields: list[str]) -> list[tuple[str, str]]:
    """Directions and fields. Raises ValueError."""
    terms = []
    for part in (part for text in texts for part in plain("order", text).split(",")):
        direction, _, rest = part.partition("(")
        demand(part, direction in ("asc", "desc") and rest[-1:] == ")" and rest[:-1] in fields)
        terms.append((direction, rest[:-1]))
    demand("twice", len({name for _, name in terms}) == len(terms))
    return terms


def parameter(name: str, kind: str, texts: list[str], fields: list[str]) -> Any:
    """The values of one parameter's entries. Raises ValueError."""
    if kind == "order":
        return orders(texts, fields)
    demand(name, len(texts) == 1 or kind not in SINGLE)
    return [READERS[kind](plain(name, text)) for text in texts]


def values(raw: bytes, kinds: dict[str, str], fields: list[str]) -> dict[str, Any]:
    """The values of all the parameters. Raises Refused."""
    faults: set[str | None] = set()
    given: dict[str, Any] = {}
    for name, texts in entries(raw, faults).items():
        try:
            given[name] = parameter(name, kinds[demand(name, name in kinds)], texts, fields)
        except ValueError:
            faults.add(name)
    alone = "after" in given and "limit" not in (given.keys() | faults)
    if alone or ("after" in given and given.get("lod") == ["count"]):
        faults.add("after")
    if faults:
        raise Refused(faults)
    return given


def read(collection: str, raw: bytes) -> Ask:
    """What a list request asks. Raises Refused."""
    given = values(raw, KINDS[collection], ORDERS[collection])
    order = given.pop("order", [])
    single = {name: given.pop(name)[0] for name in ("lod", "limit", "after") if name in given}
    return Ask(filters=given, order=order, **single)
