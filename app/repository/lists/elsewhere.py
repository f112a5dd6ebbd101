"""Conditions that other tables answer: subtrees of many tenants, texts that many entries have."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from peewee import SQL, Expression, Value, fn

from app.catalog.rows import Catalog, Members
from app.models import Tenant
from app.repository.predicates import Predicate


@dataclass(frozen=True)
class Within(Predicate):
    """The tenant's locator begins with this one: a subtree of many tenants."""

    locator: str

    @property
    def parameters(self) -> tuple[Any, ...]:
        """The locator."""
        return (self.locator,)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """The tenants of the subtree."""
        return self.field(catalog).in_(self.entries(places))

    def entries(self, places: list[Value]) -> Any:
        """The SELECT of their numbers."""
        # Not LIKE, of which Peewee makes GLOB on SQLite, with other wildcards.
        return Tenant.select(Tenant.id).where(fn.INSTR(Tenant.locator, places[0]) == SQL("1"))

    def singly(self) -> "Within":
        """The same for walks that look at few rows."""
        return Beneath(self.column, self.locator)


@dataclass(frozen=True)
class Beneath(Within):
    """The same, asked of a single row: its tenant is looked up, not all of the subtree's."""

    def sql(self, catalog: Catalog, places: list[Value]) -> Any:
        """A look-up of the row's tenant."""
        own = Tenant.select(SQL("1")).where(
            (Tenant.id == self.field(catalog)) & (fn.INSTR(Tenant.locator, places[0]) == SQL("1"))
        )
        return fn.EXISTS(own)


@dataclass(frozen=True)
class Containing(Predicate):
    """An entry's text contains one of `patterns`, or is one of `literals`: too many to list."""

    row: Members
    patterns: tuple[str, ...]
    literals: tuple[str, ...]

    @property
    def shape(self) -> Hashable:
        """How many of each."""
        return (type(self).__name__, self.row.member.name, self.column, len(self.patterns),
                len(self.literals))  # fmt: skip

    @property
    def parameters(self) -> tuple[Any, ...]:
        """Patterns, then literals."""
        return (*self.patterns, *self.literals)

    def sql(self, catalog: Catalog, places: list[Value]) -> Expression:
        """The entries that match."""
        return self.field(catalog).in_(self.entries(places))

    def entries(self, places: list[Value]) -> Any:
        """The SELECT of their numbers."""
        entries: Any = self.row.member.model
        condition = matching(self.row, places, len(self.patterns))
        return entries.select(entries.id).where(condition)

    def singly(self) -> "Containing":
        """The same for walks that look at few rows."""
        return Bearing(self.column, self.row, self.patterns, self.literals)


@dataclass(frozen=True)
class Bearing(Containing):
    """The same, asked of a single row: its entry is looked up, not all that match."""

    def sql(self, catalog: Catalog, places: list[Value]) -> Any:
        """A look-up of the row's entry."""
        entries: Any = self.row.member.model
        own = entries.select(SQL("1")).where(entries.id == self.field(catalog))
        return fn.EXISTS(own.where(matching(self.row, places, len(self.patterns))))


def matching(row: Members, places: list[Value], patterns: int) -> Expression:
    """The first `patterns` places are contained in the folded text, or the rest equal the text."""
    parts: list[Expression] = [
        fn.INSTR(row.folded, place) > SQL("0") for place in places[:patterns]
    ]
    if places[patterns:]:
        parts.append(row.member.in_(places[patterns:]))
    condition = parts[0]
    for part in parts[1:]:
        condition = condition | part
    return condition
