"""Figures from the rows: filling them anew, and looking whether they are right.

All of it is done by the database, which needs little memory for it.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext

from app import clock
from app.catalog.tallies import TALLIES, Tally
from app.database import Database
from app.errors import Unavailable
from app.failures import NOT_ALLOWED, cause, number_of
from app.repository import sentences
from app.repository.figures import hooking
from app.repository.tenants import ROOT, by_ids

FOLDS = f"SELECT folds FROM {{}} WHERE node = {ROOT}"
ABOVE = """
WITH RECURSIVE above (tenant_id, node) AS (
    SELECT id, id FROM tenants
    UNION ALL SELECT above.tenant_id, t.parent_id FROM above JOIN tenants t ON t.id = above.node
    WHERE t.parent_id IS NOT NULL)
"""
"""Each tenant with itself and every tenant above it."""
MANY = 10_000
"""Rows from which on a tenant with all below it has figures by dimensions: fewer are soon counted,
and there would be as many figures as rows."""
HOPEFUL = 3
"""How often figures are gathered while changes are folded; after that they are forgotten first."""
ATTEMPTS = 20
"""How often figures are gathered anew, because changes were folded or figures made meanwhile."""
log = logging.getLogger("app.figures")


def step_aside(database: Database, tables: Sequence[str]) -> None:
    """The figures of `tables` are not kept until `recover`, nor any changes; who may not drop the
    triggers writes with them."""
    kept = [one for one in TALLIES if one.table in tables and hooking.kept(database, one)]
    for tally in kept if kept and not hooking.blind(database) else ():
        hooking.unhook(database, tally)


def uncounted(database: Database) -> list[Tally]:
    """Those of which there are no figures, or nothing that keeps them."""
    return [
        tally
        for tally in TALLIES
        if not hooking.kept(database, tally) or hooking.lost(database, tally)
    ]


def forgotten(database: Database) -> list[Tally]:
    """Those of which there are no figures, though all stands ready to keep them: whoever counted
    them anew has given up, or died."""
    return [
        tally
        for tally in TALLIES
        if not hooking.kept(database, tally) and not hooking.lost(database, tally)
    ]


def recover(database: Database) -> None:
    """There are figures again, unless the account may not make them: then rows are counted."""
    for tally in uncounted(database):
        try:
            mend(database, tally)
        except Unavailable as refusal:
            if number_of(refusal.__cause__ or refusal) not in NOT_ALLOWED:
                raise
            if not hooking.kept(database, tally):
                log.warning("no figures are kept, rows are counted: %s", cause(refusal))


def mend(database: Database, tally: Tally) -> None:
    """The triggers are as they should be, and the figures what the rows say."""
    # Where threads share a connection to write, what one gathers is there for its writes alone.
    shared = database.dialect == "sqlite" and database.engine.shared
    with hooking.writing(database) if shared else nullcontext():
        attempt_gathering(database, tally)
        hooking.hook(database, tally)
        for attempt in range(ATTEMPTS):
            if attempt >= HOPEFUL:
                hooking.forget(database, tally)
            with gathered(database, tally) as folds, hooking.writing(database):
                if replaced(database, tally, folds):
                    return
    raise Unavailable(reason="figures are being changed")


def rows_of(tally: Tally, where: str = "1 = 1") -> str:
    """A SELECT of what the figures have to say, by tenant and dimensions: all rows at this moment,
    less what the changes say, since those will be added."""
    keys = ", ".join(("tenant_id", *tally.columns))
    named = ", ".join(f"{one.sql('r')} AS {one.column}" for one in tally.dimensions)
    return f"""
        SELECT {keys}, COUNT(*) AS n FROM (
            SELECT r.tenant_id, {named} FROM {tally.table} r WHERE {where}) AS seen
        GROUP BY {keys}
        UNION ALL SELECT {keys}, -n FROM {tally.changes} WHERE {where}"""


def rolled(tally: Tally) -> str:
    """The masks as a table that rows are joined with, to give each figure that they are in."""
    selects = (
        ", ".join(f"{keep} AS {column}" for keep, column in zip(mask, tally.columns, strict=True))
        for mask in tally.masks
    )
    return f"({' UNION ALL '.join(f'SELECT {some}' for some in selects)}) AS m"


def masked(tally: Tally) -> str:
    """The dimensions of a figure that a row is in."""
    return ", ".join(f"f.{column} * m.{column}" for column in tally.columns)


def promote(database: Database, tally: Tally, number: int) -> None:
    """The figures by dimensions of a tenant with all below it are kept from now on.

    In a transaction that holds the lock on the figures.
    """
    locator = by_ids(database, [number])[number].locator
    below = "tenant_id IN (SELECT id FROM tenants WHERE INSTR(locator, ?) = 1)"
    sentences.run(database, f"DELETE FROM {tally.figures} WHERE node = ?", (number,))
    text = f"""
        INSERT INTO {tally.figures} (node, {", ".join(tally.columns)}, n)
        SELECT {int(number)}, {masked(tally)}, SUM(f.n) FROM ({rows_of(tally, below)}) AS f
        CROSS JOIN {rolled(tally)} GROUP BY {masked(tally)} HAVING SUM(f.n) <> 0"""
    sentences.run(database, text, (locator, locator))
    sentences.run(database, f"UPDATE {tally.nodes} SET kept = 1 WHERE node = ?", (number,))


@contextmanager
def gathered(database: Database, tally: Tally) -> Iterator[int | None]:
    """What the figures have to say is in a table of this connection's own -> how often changes had
    been folded before; None: nobody can fold."""
    folds = database.row(FOLDS.format(tally.nodes))
    table = fresh(tally)
    keys = ", ".join(("tenant_id", *tally.columns))
    # Without a key MariaDB goes through all tenants for each row: minutes at a million tasks.
    temporary, key = (
        ("TEMPORARY ", "(KEY (tenant_id))") if database.dialect == "mysql" else ("", "")
    )
    database.run(f"DROP {temporary}TABLE IF EXISTS {table}")
    # One statement: it sees one moment on either engine, and takes no locks.
    database.run(
        f"CREATE TEMPORARY TABLE {table} {key} AS SELECT {keys}, SUM(n) AS n "
        f"FROM ({rows_of(tally)}) AS counted GROUP BY {keys}"
    )
    try:
        yield folds[0] if folds else None
    finally:
        database.run(f"DROP {temporary}TABLE IF EXISTS {table}")


def attempt_gathering(database: Database, tally: Tally) -> None:
    """Raises Unavailable where the account may not gather figures: else it would make triggers, and
    what they write down nobody would fold."""
    if database.dialect == "mysql":
        database.run(f"CREATE TEMPORARY TABLE IF NOT EXISTS {fresh(tally)} (n INT)")
        database.run(f"DROP TEMPORARY TABLE IF EXISTS {fresh(tally)}")


def fresh(tally: Tally) -> str:
    """The name of that table."""
    return f"{tally.name}_tally_fresh"


def replaced(database: Database, tally: Tally, folds: int | None) -> bool:
    """Whether the figures are now what was gathered, in the transaction that is open; not so when
    changes were folded, or figures made, meanwhile."""
    if not taken(database, tally, folds):
        return False
    again = clock.now() if folds is None else folds + 1
    database.run(f"DELETE FROM {tally.figures}")
    database.run(f"DELETE FROM {tally.nodes}")
    database.run(f"""
        INSERT INTO {tally.nodes} (node, n, kept, folds) {ABOVE}
        SELECT a.node, COALESCE(SUM(f.n), 0),
            CASE WHEN a.node = {ROOT} OR SUM(f.n) >= {MANY} THEN 1 ELSE 0 END, {again}
        FROM above a LEFT JOIN {fresh(tally)} f ON f.tenant_id = a.tenant_id
        GROUP BY a.node HAVING a.node = {ROOT} OR SUM(f.n) <> 0""")
    database.run(f"""
        INSERT INTO {tally.figures} (node, {", ".join(tally.columns)}, n) {ABOVE}
        {figures_of(tally, fresh(tally))}""")
    return True


def taken(database: Database, tally: Tally, folds: int | None) -> bool:
    """Whether the lock on the figures, the root's row, is as it was, and ours now."""
    if folds is None:
        ignore = "OR IGNORE" if database.dialect == "sqlite" else "IGNORE"
        new = f"INSERT {ignore} INTO {tally.nodes} (node, n, kept, folds) VALUES (?, 0, 0, 0)"
        return bool(sentences.run(database, new, (ROOT,)))
    same = f"UPDATE {tally.nodes} SET folds = folds + 1 WHERE node = ? AND folds = ?"
    return bool(sentences.run(database, same, (ROOT, folds)))


def figures_of(tally: Tally, source: str) -> str:
    """A SELECT, behind ABOVE, of the figures that rows by tenant and dimensions, `source`, make."""
    named = ", ".join(f"f.{column} * m.{column} AS {column}" for column in tally.columns)
    return f"""
        SELECT a.node, {named}, SUM(f.n) AS n FROM {source} f
        JOIN above a ON a.tenant_id = f.tenant_id
        JOIN {tally.nodes} k ON k.node = a.node AND k.kept = 1
        CROSS JOIN {rolled(tally)}
        GROUP BY a.node, {masked(tally)} HAVING SUM(f.n) <> 0"""


def differing(tally: Tally) -> str:
    """A SELECT of how many figures are not what the rows say, and of how many tenants."""
    keys = ", ".join(("node", *tally.columns))
    zeros = ", ".join("0" for _ in tally.columns)
    return f"""
        {ABOVE}, counted AS ({rows_of(tally)})
        SELECT COUNT(*), COUNT(DISTINCT node) FROM (
            SELECT {keys}, SUM(n) AS n FROM (
                SELECT {keys}, n FROM ({figures_of(tally, "counted")}) AS right_ones
                UNION ALL SELECT {keys}, -n FROM {tally.figures}) AS both_ways
            GROUP BY {keys} HAVING SUM(n) <> 0
            UNION ALL SELECT node, {zeros}, SUM(n) FROM (
                SELECT a.node, SUM(f.n) AS n FROM counted f
                JOIN above a ON a.tenant_id = f.tenant_id GROUP BY a.node
                UNION ALL SELECT node, -n FROM {tally.nodes}) AS in_all
            GROUP BY node HAVING SUM(n) <> 0) AS differing"""
