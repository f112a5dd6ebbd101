"""Figures: counting by them alone, and folding into them what has changed.

A trigger writes a change with every row that comes, goes, or has another value in a dimension, in
the transaction that changes the row; so writers never wait for each other. `fold` moves changes
into the figures of their tenant and of all tenants above it. One statement sums both: what is
counted is exact at any moment, however much is not folded yet.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from app import clock
from app.catalog.rows import Catalog
from app.catalog.tallies import ALL, TALLIES, Tally, tally_of
from app.database import Database
from app.repository import sentences, tenants
from app.repository.figures import hooking, refilling
from app.repository.predicates import Among, Predicates
from app.repository.tenants import Node

LEAST = 1_000
"""Changes from which on upkeep folds: most of those of a task's life cancel each other out."""
BATCH = 500
"""Different changes that one transaction folds: it keeps others from writing for some 20 ms."""
MORE = 4
"""How many times as many are read: of whole lives one in seven is left when the rest is netted."""
TOGETHER = 500
"""Numbers that one statement names."""

Change = tuple[int, ...]
"""Tenant, dimensions, and by how much the number of such rows grows."""


def figure(
    database: Database, catalog: Catalog, demands: Predicates, deleted: bool, node: Node
) -> int | None:
    """How many rows of the subtree of `node` satisfy `demands`; None where rows must be counted.

    `deleted`: deleted ones count as well. Raises Unavailable, QueryTooSlow.
    """
    tally = tally_of(catalog)
    asked: dict[str, tuple[int, ...]] = {} if deleted else {"deleted": (0,)}
    for row in demands:
        if not isinstance(row, Among) or row.column not in tally.columns:
            return None
        asked[row.column] = row.parameters
    text = question(tally, tuple((name, len(some)) for name, some in asked.items()), node.root)
    values = [value for some in asked.values() for value in some]
    within = [] if node.root else [node.locator]
    found = sentences.rows(database, text, (node.id, *values, *values, *within, node.id))
    return sum(int(part or 0) for part in found[0]) if found else None


@cache
def question(tally: Tally, asked: tuple[tuple[str, int], ...], root: bool) -> str:
    """The statement that sums the figures and the changes, for so many values of these columns.

    It answers no row where the tenant has no figures.
    """
    sizes = dict(asked)
    given = [among(column, size) for column, size in asked]
    whole = [
        f"{one.column} = {ALL}" for one in tally.dimensions if one.wide and one.column not in sizes
    ]
    below = "" if root else (
        "EXISTS (SELECT 1 FROM tenants t WHERE t.id = c.tenant_id AND INSTR(t.locator, ?) = 1)"
    )  # fmt: skip
    changed = " AND ".join([*given, *([below] if below else [])]) or "1 = 1"
    return (
        f"SELECT (SELECT SUM(n) FROM {tally.figures} "
        f"WHERE {' AND '.join(['node = ?', *given, *whole])}), "
        f"(SELECT SUM(c.n) FROM {tally.changes} c WHERE {changed}) "
        f"FROM {tally.nodes} WHERE node = ? AND kept = 1"
    )


def among(column: str, size: int) -> str:
    """The condition that a column has one of so many values."""
    return f"{column} = ?" if size == 1 else f"{column} IN ({', '.join('?' * size)})"


def pending(database: Database, tally: Tally) -> bool:
    """Whether enough has changed to be folded."""
    some = f"SELECT COUNT(*) FROM (SELECT 1 FROM {tally.changes} LIMIT {LEAST}) AS some"
    return int(database.rows(some)[0][0]) >= LEAST


def upkeep(database: Database, until: float) -> bool:
    """Fold what has gathered, until `until` on the steady clock -> whether something is left."""
    for tally in TALLIES:
        while pending(database, tally):
            if clock.monotonic() >= until:
                return True
            if not fold(database, tally):
                break
    return False


def fold_all(database: Database) -> int:
    """Fold what there is now -> number of changes; not what others write meanwhile."""
    folded = 0
    for tally in TALLIES:
        left = int(database.rows(f"SELECT COUNT(*) FROM {tally.changes}")[0][0])
        while left > 0 and (some := fold(database, tally)):
            folded, left = folded + some, left - some
    return folded


def fold(database: Database, tally: Tally) -> int:
    """Fold the changes of one transaction -> how many; 0 also when somebody else is at it."""

    def act() -> int:
        with database.write_transaction():
            if not free(database, tally):
                return 0
            limit = BATCH * MORE
            text = f"SELECT id, {columns(tally)} FROM {tally.changes} ORDER BY id LIMIT {limit}"
            some = database.rows(text)
            return absorb(database, tally, some if len(netted(some)) <= BATCH else some[:BATCH])

    # What has landed unheard is not among the changes any more.
    return database.retried(act, repeatable=True)


def free(database: Database, tally: Tally) -> bool:
    """Whether there are figures, which nobody else changes now; the root's row is the lock."""
    skip = "" if database.dialect == "sqlite" else " FOR UPDATE SKIP LOCKED"
    return bool(database.rows(f"{hooking.ROOT_KEPT.format(tally.nodes)}{skip}"))


def settle(database: Database, node: Node) -> None:
    """Fold what has changed in a tenant that is being removed, and forget its figures.

    In the transaction that is open: afterwards nobody knows which tenants are above it.
    """
    for tally in TALLIES:
        touch(database, tally)
        text = f"SELECT id, {columns(tally)} FROM {tally.changes} WHERE tenant_id = ? ORDER BY id"
        absorb(database, tally, sentences.rows(database, text, (node.id,)), {node.id: node})
        for table in (tally.figures, tally.nodes):
            sentences.run(database, f"DELETE FROM {table} WHERE node = ?", (node.id,))


def touch(database: Database, tally: Tally) -> None:
    """Take the lock on the figures: also where there are none, since somebody may make some."""
    same = (
        "ON CONFLICT (node) DO UPDATE SET folds = folds + 1"
        if database.dialect == "sqlite"
        else "ON DUPLICATE KEY UPDATE folds = folds + 1"
    )
    new = f"INSERT INTO {tally.nodes} (node, n, kept, folds) VALUES (?, 0, 0, ?) {same}"
    sentences.run(database, new, (tenants.ROOT, clock.now()))


def columns(tally: Tally) -> str:
    """What a change says, in its order."""
    return ", ".join(("tenant_id", *tally.columns, "n"))


def absorb(
    database: Database, tally: Tally, rows: Sequence[Change], known: dict[int, Node] | None = None
) -> int:
    """Move changes, each with its number in front, into the figures -> how many they were."""
    if not rows:
        return 0
    for ids in parts([row[0] for row in rows]):
        sentences.run(database, f"DELETE FROM {tally.changes} WHERE {among('id', len(ids))}", ids)
    net = netted(rows)
    paths = {
        number: [int(step) for step in node.locator.strip("/").split("/")]
        for number, node in (known or tenants.by_ids(database, {key[0] for key in net})).items()
    }
    moved = [(paths.get(key[0], [tenants.ROOT]), key[1:], n) for key, n in net.items()]
    totals: Counter[int] = Counter()
    for path, _, n in moved:
        totals.update(dict.fromkeys(path, n))
    add(database, tally.nodes, ("node", "kept", "folds"),
        {(number, 0, 0): n for number, n in totals.items()}, 1)  # fmt: skip
    sentences.run(
        database, f"UPDATE {tally.nodes} SET folds = folds + 1 WHERE node = ?", (tenants.ROOT,)
    )
    standing = dict(states(database, tally, totals))
    enter(database, tally, moved, {number for number, (kept, _) in standing.items() if kept})
    for number, (kept, n) in standing.items():
        if not kept and n >= refilling.MANY:
            refilling.promote(database, tally, number)
    return len(rows)


def netted(rows: Sequence[Change]) -> dict[Change, int]:
    """What changes, each with its number in front, come to together: what cancels out is not in
    it."""
    net: Counter[Change] = Counter()
    for row in rows:
        net[row[1:-1]] += row[-1]
    return {key: n for key, n in net.items() if n}


def states(
    database: Database, tally: Tally, numbers: Iterable[int]
) -> Iterator[tuple[int, tuple[int, int]]]:
    """Of each tenant: whether its figures by dimensions are kept, and how many rows it has."""
    for some in parts(sorted(numbers)):
        text = f"SELECT node, kept, n FROM {tally.nodes} WHERE {among('node', len(some))}"
        for number, kept, n in sentences.rows(database, text, some):
            yield number, (kept, n)


def enter(
    database: Database, tally: Tally, moved: list[tuple[list[int], Change, int]], kept: set[int]
) -> None:
    """Add to the figures of the tenants in `kept`; those that come to nothing are removed."""
    figures: Counter[Change] = Counter()
    for path, values, n in moved:
        for mask in tally.masks:
            some = tuple(value * keep for value, keep in zip(values, mask, strict=True))
            for number in kept.intersection(path):
                figures[(number, *some)] += n
    key = ("node", *tally.columns)
    add(database, tally.figures, key, figures, len(key))
    fallen = [values for values, n in sorted(figures.items()) if n < 0]
    if fallen:
        conditions = " AND ".join(f"{column} = {database.mark}" for column in key)
        database.run_many(f"DELETE FROM {tally.figures} WHERE {conditions} AND n = 0", fallen)


def add(
    database: Database, table: str, names: Sequence[str], rows: dict[Change, int], keys: int
) -> None:
    """Add to `n` of the rows with these values, the first `keys` of which are the key; new rows
    are made."""
    changed = [(*values, n) for values, n in sorted(rows.items()) if n]
    if not changed:
        return
    text = sentences.insertion(database.mark, table, (*names, "n"))
    more = (
        f" ON CONFLICT ({', '.join(names[:keys])}) DO UPDATE SET n = n + excluded.n"
        if database.dialect == "sqlite"
        else " ON DUPLICATE KEY UPDATE n = n + VALUES(n)"
    )
    database.run_many(text + more, changed)


def parts(numbers: list[int]) -> Iterator[list[int]]:
    """`numbers` in lists that one statement can name."""
    return (numbers[at : at + TOGETHER] for at in range(0, len(numbers), TOGETHER))
