"""Figures by which tasks and activities are counted, triggers that keep them, an index of the
deleted ones, which are left out where rows are counted.

A trigger writes a change with each row; upkeep folds changes into figures. What is counted is the
sum of both. MySQL commits each statement by itself: the triggers come first and the figures last,
less what the changes of that moment say, so that nothing is counted twice or missed while others
write, and an interrupted upgrade can simply be run again. Without figures rows are counted.
"""

from peewee import OperationalError, SqliteDatabase

from migrations.growing import add_index, drop_index

atomic = False

TALLIES = (
    ("task", "tasks", (
        ("type_id", "{row}.type_id", True), ("queue_id", "{row}.queue_id", True),
        ("state", "{row}.state", False), ("result", "COALESCE({row}.result, 0)", False),
        ("priority", "{row}.priority", False),
        ("deleted", "({row}.deleted_at IS NOT NULL)", False))),
    ("activity", "activities", (
        ("type_id", "{row}.type_id", True), ("state", "{row}.state", False),
        ("result", "COALESCE({row}.result, 0)", False),
        ("sustainable", "{row}.sustainable", False),
        ("deleted", "({row}.deleted_at IS NOT NULL)", False))),
)  # fmt: skip
"""Name, table, and the dimensions: column, value in a row, whether there are figures over all."""
MANY = 10_000
"""Rows from which on a tenant with all below it has figures by dimensions."""
NOT_ALLOWED = (1044, 1142, 1227, 1419)
"""MySQL's errors for an account that may not make triggers, or temporary tables."""
TABLES = {
    "sqlite": (
        "{name}_tally_changes (id INTEGER PRIMARY KEY, tenant_id INTEGER NOT NULL, {columns}, "
        "n INTEGER NOT NULL)",
        "{name}_tallies (node INTEGER NOT NULL, {columns}, n INTEGER NOT NULL, "
        "PRIMARY KEY (node, {keys})) WITHOUT ROWID",
        "{name}_tally_nodes (node INTEGER PRIMARY KEY, n INTEGER NOT NULL, kept INTEGER NOT NULL, "
        "folds INTEGER NOT NULL)",
    ),
    "mysql": (
        "{name}_tally_changes (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, "
        "tenant_id BIGINT NOT NULL, {columns}, n INT NOT NULL) ENGINE=InnoDB",
        "{name}_tallies (node BIGINT NOT NULL, {columns}, n BIGINT NOT NULL, "
        "PRIMARY KEY (node, {keys})) ENGINE=InnoDB",
        "{name}_tally_nodes (node BIGINT NOT NULL PRIMARY KEY, n BIGINT NOT NULL, "
        "kept SMALLINT NOT NULL, folds BIGINT NOT NULL) ENGINE=InnoDB",
    ),
}
KINDS = {"sqlite": ("INTEGER", "INTEGER"), "mysql": ("INT", "SMALLINT")}
ABOVE = """
    WITH RECURSIVE above (tenant_id, node) AS (
        SELECT id, id FROM tenants
        UNION ALL SELECT above.tenant_id, t.parent_id FROM above JOIN tenants t ON t.id = above.node
        WHERE t.parent_id IS NOT NULL)
"""


def dialect(db):
    """Which of the two dialects this database speaks."""
    return "sqlite" if isinstance(db, SqliteDatabase) else "mysql"


def tables(db, name, dimensions):
    """The statements that make the tables."""
    wide, narrow = KINDS[dialect(db)]
    words = {
        "name": name,
        "columns": ", ".join(f"{c} {wide if w else narrow} NOT NULL" for c, _, w in dimensions),
        "keys": ", ".join(column for column, _, _ in dimensions),
    }
    for table in TABLES[dialect(db)]:
        yield "CREATE TABLE IF NOT EXISTS " + table.format(**words)


def triggers(db, name, table, dimensions):
    """The triggers: name and text."""
    columns = ["tenant_id", *(column for column, _, _ in dimensions)]
    values = ["{row}.tenant_id", *(value for _, value, _ in dimensions)]

    def change(row, sign):
        return f"({', '.join(value.format(row=row) for value in values)}, {sign})"

    into = f"INSERT INTO {name}_tally_changes ({', '.join(columns)}, n) VALUES "
    moved = f"{into}{change('OLD', -1)}, {change('NEW', 1)}"
    mysql = dialect(db) == "mysql"
    same = "{old} <=> {new}" if mysql else "{old} IS {new}"
    unchanged = " AND ".join(
        same.format(old=value.format(row="OLD"), new=value.format(row="NEW")) for value in values
    )
    named = ", ".join("deleted_at" if column == "deleted" else column for column in columns)
    acts = {
        "insert": ("INSERT", "", into + change("NEW", 1)),
        "update": (
            ("UPDATE", "", f"IF NOT ({unchanged}) THEN {moved}; END IF")
            if mysql
            else (f"UPDATE OF {named}", f" WHEN NOT ({unchanged})", moved)
        ),
        "delete": ("DELETE", "", into + change("OLD", -1)),
    }
    for act, (event, when, text) in acts.items():
        body = text if mysql else f"BEGIN {text}; END"
        trigger = f"{table}_tallied_{act}"
        yield (
            trigger,
            f"CREATE TRIGGER {trigger} AFTER {event} ON {table} FOR EACH ROW{when} {body}",
        )


def fresh(db, name, table, dimensions):
    """The statements that count, in one of them and so at one moment, what figures must say."""
    # Without a key MariaDB goes through all tenants for each row.
    key = "(KEY (tenant_id))" if dialect(db) == "mysql" else ""
    columns = ", ".join(column for column, _, _ in dimensions)
    values = ", ".join(f"{value.format(row='r')} AS {column}" for column, value, _ in dimensions)
    yield f"DROP TABLE IF EXISTS {name}_tally_fresh"
    yield f"""
        CREATE TEMPORARY TABLE {name}_tally_fresh {key} AS
        SELECT tenant_id, {columns}, SUM(n) AS n FROM (
            SELECT tenant_id, {columns}, COUNT(*) AS n FROM (
                SELECT r.tenant_id, {values} FROM {table} r) AS seen
            GROUP BY tenant_id, {columns}
            UNION ALL SELECT tenant_id, {columns}, -n FROM {name}_tally_changes) AS counted
        GROUP BY tenant_id, {columns}"""


def filled(name, dimensions):
    """The statements that put this in the place of what figures there are, in one transaction."""
    columns = ", ".join(column for column, _, _ in dimensions)
    some = ", ".join(f"f.{c} * m.{c}" for c, _, _ in dimensions)
    masks = [()]
    for _, _, wide in dimensions:
        masks = [(*mask, keep) for mask in masks for keep in ((1, 0) if wide else (1,))]
    rolled = " UNION ALL ".join(
        "SELECT " + ", ".join(
            f"{keep} AS {c}" for keep, (c, _, _) in zip(mask, dimensions, strict=True)
        )
        for mask in masks
    )  # fmt: skip
    yield f"DELETE FROM {name}_tallies"
    yield f"DELETE FROM {name}_tally_nodes"
    yield f"""
        INSERT INTO {name}_tally_nodes (node, n, kept, folds) {ABOVE}
        SELECT a.node, COALESCE(SUM(f.n), 0),
            CASE WHEN a.node = 1 OR SUM(f.n) >= {MANY} THEN 1 ELSE 0 END, 0
        FROM above a LEFT JOIN {name}_tally_fresh f ON f.tenant_id = a.tenant_id
        GROUP BY a.node HAVING a.node = 1 OR SUM(f.n) <> 0"""
    yield f"""
        INSERT INTO {name}_tallies (node, {columns}, n) {ABOVE}
        SELECT a.node, {some}, SUM(f.n) FROM {name}_tally_fresh f
        JOIN above a ON a.tenant_id = f.tenant_id
        JOIN {name}_tally_nodes k ON k.node = a.node AND k.kept = 1
        CROSS JOIN ({rolled}) AS m
        GROUP BY a.node, {some} HAVING SUM(f.n) <> 0"""


def up(migrator, db):
    """Make them, and count what is there; an account that may not has no figures."""
    for name, table, dimensions in TALLIES:
        add_index(db, table, f"{table}_deleted_at", "deleted_at", "deleted_at IS NOT NULL")
        for statement in tables(db, name, dimensions):
            db.execute_sql(statement)
        # Figures of a run that was interrupted are folded into no more, nor those without triggers.
        db.execute_sql(f"DELETE FROM {name}_tally_nodes")
        try:
            # Where figures cannot be gathered nobody would fold what triggers write down.
            db.execute_sql(f"CREATE TEMPORARY TABLE {name}_tally_fresh (n INTEGER)")
            db.execute_sql(f"DROP TABLE {name}_tally_fresh")
            for trigger, text in triggers(db, name, table, dimensions):
                db.execute_sql(f"DROP TRIGGER IF EXISTS {trigger}")
                db.execute_sql(text)
        except OperationalError as error:
            if error.args[0] not in NOT_ALLOWED:
                raise
            continue
        for statement in fresh(db, name, table, dimensions):
            db.execute_sql(statement)
        with db.atomic():
            for statement in filled(name, dimensions):
                db.execute_sql(statement)
        db.execute_sql(f"DROP TABLE {name}_tally_fresh")


def down(migrator, db):
    """Drop them; figures first, so that none are left without triggers that keep them."""
    for name, table, _ in TALLIES:
        if db.table_exists(f"{name}_tally_nodes"):
            db.execute_sql(f"DELETE FROM {name}_tally_nodes")
        drop_index(db, table, f"{table}_deleted_at")
        for act in ("insert", "update", "delete"):
            db.execute_sql(f"DROP TRIGGER IF EXISTS {table}_tallied_{act}")
        for kind in ("tally_changes", "tallies", "tally_nodes"):
            db.execute_sql(f"DROP TABLE IF EXISTS {name}_{kind}")
