"""Generated list requests: valid ones drawn from a world, and damaged ones for the grammar."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, quote_plus

import oracle
import worlds
from oracle_grammar import KINDS, LEVELS, ORDERS, PRIORITIES, RESULTS, STATES

Pairs = list[tuple[str, str]]
OPERATORS = ("lt", "le", "gt", "ge", "ne")
WORDS = {"state": STATES, "priority": PRIORITIES, "result": RESULTS}
PAGING = ("lod", "limit", "after", "order")
SAFE = ("", ":,()", "()-._~:,@!$'*/?;")
"""Characters that a client may send as they are: none, the usual ones, all that a query allows."""


def spellings(moment: int) -> list[str]:
    """The ways to write `moment` (epoch nanoseconds) that mean exactly it."""
    seconds, fraction = divmod(moment, 10**9)
    day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    east = day + timedelta(minutes=330) if day.year < 2261 else None
    tail = f".{fraction:09}".rstrip("0").rstrip(".")
    ways = [worlds.written(moment), f"{day:%Y-%m-%dt%H:%M:%S}{tail}z"]
    ways += [f"{east:%Y-%m-%dT%H:%M:%S}{tail}+05:30"] if east else []
    ways += [f"{moment}ns"] if moment >= 0 else []
    if not fraction:
        ways += [f"{day:%a, %d %b %Y %H:%M:%S} GMT", f"{day:%a %b %e %H:%M:%S %Y}"]
        ways += [f"{seconds}"] if seconds >= 0 else []
        ways += [f"{day:%A, %d-%b-%y %H:%M:%S} GMT"] if 2000 <= day.year < 2050 else []
        ways += [f"{day:%Y-%m-%d}"] if seconds % 86_400 == 0 else []
    return ways


class Asker:
    """Asks about one collection of a world, out of a stream of random numbers."""

    def __init__(self, collection: str, world: worlds.World, seed: object) -> None:
        """`world`: of full objects."""
        self.collection = collection
        self.items = world[collection]
        self.random = random.Random(f"{collection} {seed}")
        self.kinds = KINDS[collection]
        self.moments = worlds.MOMENTS
        self.filters = [name for name in self.kinds if name not in (*PAGING, "allow_deleted")]

    def known(self, name: str) -> Any:
        """What some object holds where filter `name` looks; None when it lacks it."""
        item = self.random.choice(self.items)
        if name == "tag":
            return self.random.choice(item["tags"] or [None])
        return oracle.at(item, oracle.PATHS.get(name, name))

    def piece(self, text: str) -> str:
        """A part of `text`, perhaps in another case."""
        start = self.random.randrange(len(text))
        part = text[start : start + self.random.randrange(1, 6)]
        return self.random.choice((part, part.upper(), part.lower(), part.casefold(), part.title()))

    def moment(self) -> str:
        """A time that objects hold, or one a nanosecond beside it, in some spelling."""
        first, last = worlds.MOMENTS[-2:]
        moment = self.random.choice(self.moments) + self.random.choice((-1, 0, 0, 0, 0, 1))
        return self.random.choice(spellings(min(max(moment, first), last)))

    def time(self) -> str:
        """An entry of a time filter."""
        match self.random.randrange(8):
            case 0:
                return self.random.choice(("isnull()", "notnull()"))
            case 1:
                return self.moment()
            case 2:
                begin, end = sorted(self.random.sample(sorted(set(self.moments)), 2))
                ways = self.random.choice(spellings(begin)), self.random.choice(spellings(end))
                return f"between({ways[0]},{ways[1]})"
            case _:
                return f"{self.random.choice(OPERATORS)}({self.moment()})"

    def entry(self, name: str) -> str:
        """One entry of a filter."""
        kind = self.kinds[name]
        value = self.known(name)
        if kind == "time":
            return self.time()
        if kind == "flag":
            return self.random.choice(("true", "false", "1", "0"))
        if kind in WORDS:
            return self.random.choice(WORDS[kind])
        if value in (None, "") or self.random.random() < 0.05:
            value = {"number": 12345, "uuid": worlds.uuid(0)}.get(kind, "nobody has this")
        if kind == "like" and self.random.random() < 0.6:
            return f"like({self.piece(value)})"
        return str(value).upper() if kind == "uuid" else str(value)

    def filter(self, name: str) -> Pairs:
        """One filter with one or several entries."""
        single = self.kinds[name] in ("time", "word", "flag")
        count = 1 if single else self.random.choice((1, 1, 1, 2, 3, 8))
        return [(name, self.entry(name)) for _ in range(count)]

    def order(self) -> Pairs:
        """No order, or one to four fields, in one entry or in several."""
        count = self.random.choice((0, 0, 1, 1, 1, 2, 3, 4))
        fields = self.random.sample(ORDERS[self.collection], count)
        terms = [f"{self.random.choice(('asc', 'desc'))}({name})" for name in fields]
        if self.random.random() < 0.5:
            return [("order", term) for term in terms]
        return [("order", ",".join(terms))] if terms else []

    def pairs(self) -> Pairs:
        """The parameters of a valid first request, without paging."""
        names = self.random.sample(self.filters, self.random.choice((0, 1, 1, 1, 2, 2, 3)))
        asked = [pair for name in names for pair in self.filter(name)] + self.order()
        if self.random.random() < 0.3:
            asked.append(("allow_deleted", self.random.choice(("true", "1", "false", "0"))))
        if self.random.random() < 0.5:
            asked.append(("lod", self.random.choice((*LEVELS, "count"))))
        self.random.shuffle(asked)
        return asked

    def raw(self, pairs: Pairs) -> bytes:
        """`pairs` as a query string, encoded as one client or another does."""
        safe = self.random.choice(SAFE)
        encode = self.random.choice((quote, quote_plus))
        return "&".join(f"{name}={encode(value, safe=safe)}" for name, value in pairs).encode()


NASTY = (
    "", " ", "\0", "null", "None", "true ", "yes", "on", "TRUE", "-1", "0", "1_000", "+1", " 1",
    "1.0", "1e3", "٣", "９", "9223372036854775807", "9223372036854775808", "0"*19, "0"*18+"1",
    "0"*20+"1", "x"*1024, "x"*1025, "é"*1024, "like()", "like(a", "LIKE(a)", "like(like(a))",
    "gt()", "gt( 1 )", "GT(1)", "eq(1)", "gt(1)(2)", "gt((1))", "isnull", "isnull(1)", "notnull()",
    "between(1,2)", "between(2,1)", "between(1,1)", "between(1)", "between(1,2,3)",
    "between(Wed, 22 Apr 2020 11:00:00 GMT,Thu, 23 Apr 2020 11:00:00 GMT)", "9214646399",
    "9214646400", "99999999999", "0ns", "9214646399999999999ns", "9214646400000000000ns", "-1ns",
    "1ns ", "1 ns", "2020-04-22", "2020-02-30", "2019-02-29", "2020-02-29", "1677-12-31",
    "1678-01-01", "2261-12-31", "2262-01-01", "1677-12-31T23:00:00-02:00",
    "2261-12-31T23:30:00-01:00", "2020-04-22T11:00:00", "2020-04-22T11:00Z", "2020-04-22T24:00:00Z",
    "2020-04-22T23:59:60Z", "2020-04-22T11:60:00Z", "2020-04-22T11:00:00.Z",
    "2020-04-22T11:00:00.1234567890Z", "2020-04-22T11:00:00,5Z", "2020-04-22T11:00:00.123456789z",
    "2020-04-22t11:00:00+00:00", "2020-04-22T11:00:00 05:30", "2020-04-22T11:00:00+24:00",
    "2020-04-22T11:00:00+05:60", "2020-04-22T11:00:00+0530", "2020-W17-3", "20200422T110000Z",
    "2020-04-22 11:00:00Z", "22020-04-22", "2020-4-22", "Wed, 22 Apr 2020 11:00:00 GMT",
    "Thu, 22 Apr 2020 11:00:00 GMT", "Wed, 22 Apr 2020 11:00:00 UTC",
    "wed, 22 apr 2020 11:00:00 gmt", "Wed, 22 Apr 2020 11:00:00",
    "Wednesday, 22-Apr-20 11:00:00 GMT", "Wed, 22-Apr-20 11:00:00 GMT", "Wed Apr 22 11:00:00 2020",
    "Wed Apr  1 11:00:00 2020", "Thu Apr 22 11:00:00 2020", "Wed Apr 22 11:00:00 UTC 2020",
    "asc(id)", "asc(id),", "asc(id),asc(id)", "asc (id)", "asc(ID)", "ASC(id)", "id", "-id",
    "asc(queue)", "asc()", "desc(id)asc(type)", "asc(id);", "tiny", "Long", "count", "started",
    "Started", "startd", "ok", "OK", "failed", "high", "belownormal",
    "0016750a-ee56-49e6-bf59-7c768c9869ac", "0016750aee5649e6bf597c768c9869ac", "1000", "1001",
    "00010", "{0016750a-ee56-49e6-bf59-7c768c9869ac}", "0016750a-ee56-49e6-bf59-7c768c9869ag",
    "\U0001f600", "\r\n",
)  # fmt: skip
STRANGERS = (
    "", "status", "context.id", "tenant_id", "State", "state ", "states", "allowDeleted",
    "offset", "sort", "state[]", "тип", "\0", "id\n", "resultcode", "policy", "after ", "lod.",
    "createdBy",
)  # fmt: skip
CHARACTERS = b"0123456789abcZTn(),:;-+.%&=_~!*'/?@\xff\xc3\x80"


class Vandal(Asker):
    """Asks as an Asker does, and then spoils something more often than not."""

    def spoiled(self) -> bytes:
        """A query string, damaged in words or in bytes or not at all."""
        asked = self.pairs()
        if self.random.random() < 0.3:
            asked.append(("limit", self.random.choice(("1", "10", "1000"))))
        for _ in range(self.random.choice((0, 1, 1, 2))):
            self.replace(asked)
        raw = self.raw(asked)
        for _ in range(self.random.choice((0, 0, 0, 1, 2))):
            raw = self.mutated(raw)
        return raw

    def replace(self, asked: Pairs) -> None:
        """Give a parameter something nasty, repeat one, or ask a stranger."""
        name = self.random.choice(list(self.kinds))
        match self.random.randrange(8):
            case 0:
                asked.append((self.random.choice(STRANGERS), self.random.choice(("1", "", "x"))))
            case 1 if asked:
                asked.append(self.random.choice(asked))
            case _:
                asked.append((name, self.random.choice(NASTY)))

    def mutated(self, raw: bytes) -> bytes:
        """`raw` with a byte put in, taken out or changed, or a stretch doubled."""
        place = self.random.randrange(len(raw) + 1)
        byte = bytes([self.random.choice(CHARACTERS)])
        stretch = raw[place : place + self.random.randrange(1, 9)]
        return raw[:place] + self.random.choice(
            (byte + raw[place:], raw[place + 1 :], byte + raw[place + 1 :], stretch + raw[place:])
        )
