"""Triggers that write down what changes, for figures to be kept: made, and taken away.

Figures stand only while their triggers do: they are forgotten first, so that whoever dies in
between, or writes, leaves none that miss something.
"""

import re
from contextlib import AbstractContextManager, nullcontext

from app.catalog.tallies import Tally
from app.database import Database
from app.repository import indexing
from app.repository.tenants import ROOT

ROOT_KEPT = f"SELECT folds FROM {{}} WHERE node = {ROOT} AND kept = 1"
THERE = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "mysql": "SELECT trigger_name, COALESCE(action_statement, '') FROM information_schema.triggers"
    " WHERE trigger_schema = DATABASE()",
}
"""Triggers, each with how the statement that made it ends; MariaDB tells that only to who has the
privilege, and then it is believed. Without it MySQL shows no trigger at all."""
GRANTED = re.compile(r"GRANT (.+, )?(TRIGGER|ALL PRIVILEGES)(,| ON )")
EVENTS = ("insert", "update", "delete")


def trigger(tally: Tally, event: str) -> str:
    """The name of a trigger."""
    return f"{tally.table}_tallied_{event}"


def triggers(database: Database, tally: Tally) -> dict[str, str]:
    """The statements that make the triggers, by name."""
    mysql = database.dialect == "mysql"
    into = f"INSERT INTO {tally.changes} (tenant_id, {', '.join(tally.columns)}, n) VALUES "
    moved = f"{into}{change(tally, 'OLD', -1)}, {change(tally, 'NEW', 1)}"
    old, new = (values(tally, row) for row in ("OLD", "NEW"))
    # Silent on heartbeats: NULLs are compared like values.
    same = " AND ".join(
        f"{one} {'<=>' if mysql else 'IS'} {other}" for one, other in zip(old, new, strict=True)
    )
    named = ", ".join("deleted_at" if one == "deleted" else one for one in tally.columns)
    acts = {
        "insert": ("INSERT", "", into + change(tally, "NEW", 1)),
        "update": ("UPDATE", "", f"IF NOT ({same}) THEN {moved}; END IF") if mysql else
                  (f"UPDATE OF tenant_id, {named}", f" WHEN NOT ({same})", moved),
        "delete": ("DELETE", "", into + change(tally, "OLD", -1)),
    }  # fmt: skip
    made = {}
    for event, (words, when, text) in acts.items():
        name, body = trigger(tally, event), text if mysql else f"BEGIN {text}; END"
        made[name] = (
            f"CREATE TRIGGER {name} AFTER {words} ON {tally.table} FOR EACH ROW{when} {body}"
        )
    return made


def values(tally: Tally, row: str) -> list[str]:
    """The tenant and the dimensions of `row`."""
    return [f"{row}.tenant_id", *(one.sql(row) for one in tally.dimensions)]


def change(tally: Tally, row: str, by: int) -> str:
    """The values of a change: there is one row like `row` more, or less."""
    return f"({', '.join(values(tally, row))}, {by})"


def kept(database: Database, tally: Tally) -> bool:
    """Whether there are figures."""
    return database.row(ROOT_KEPT.format(tally.nodes)) is not None


def lost(database: Database, tally: Tally) -> list[str]:
    """The triggers that are not there, or that this account may not see."""
    there: dict[str, str] = dict(database.rows(THERE[database.dialect]))
    return [name for name in triggers(database, tally) if name not in there]


def blind(database: Database) -> bool:
    """Whether this account may neither make triggers nor see what they do, as its grants tell."""
    if database.dialect == "sqlite":
        return False
    return not any(GRANTED.match(row[0]) for row in database.rows("SHOW GRANTS"))


def writing(database: Database) -> AbstractContextManager[None]:
    """The transaction that is open, or a new one."""
    return nullcontext() if database.thread.inside else database.write_transaction()


def forget(database: Database, tally: Tally) -> None:
    """There are no figures, and nobody folds: rows are counted."""
    database.run(f"DELETE FROM {tally.nodes}")


def unhook(database: Database, tally: Tally) -> None:
    """The triggers are gone, and there are no figures: in this order whoever dies in between, or
    writes, leaves none that miss something."""
    forget(database, tally)
    for event in EVENTS:
        database.run(f"DROP TRIGGER IF EXISTS {trigger(tally, event)}")


def hook(database: Database, tally: Tally) -> None:
    """The triggers are there as they should be. Raises Unavailable where the account may not.

    Where one was not, there are no figures.
    """
    if database.dialect == "mysql":
        # They wait for all who use the table, and others would wait behind them.
        indexing.beside_others(database, lambda: make(database, tally))
    else:
        with writing(database):
            make(database, tally)


def make(database: Database, tally: Tally) -> None:
    """Make those triggers that are not as they should be; it may be done twice."""
    wanted = triggers(database, tally)
    there: dict[str, str] = dict(database.rows(THERE[database.dialect]))
    # An account that may make none, or see none, has changed nothing.
    missing = [name for name in wanted if name not in there]
    for name in missing:
        database.run(wanted[name])
    other = [name for name in there if name in wanted and not wanted[name].endswith(there[name])]
    if missing or other:
        forget(database, tally)
    for name in other:
        database.run(f"DROP TRIGGER IF EXISTS {name}")
        database.run(wanted[name])
