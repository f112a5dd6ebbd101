"""Claims and timers: lanes of ready tasks, indexes for heads and due moments, beats of leaders."""

from peewee import SqliteDatabase

LANES = {
    "sqlite": """
        CREATE TABLE IF NOT EXISTS lanes (
            id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, queue_id INTEGER NOT NULL,
            type_id INTEGER NOT NULL, tenant_id INTEGER NOT NULL, affinity_id INTEGER NOT NULL
        )""",
    "mysql": """
        CREATE TABLE IF NOT EXISTS lanes (
            id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, digest BINARY(16) NOT NULL UNIQUE,
            queue_id INT NOT NULL, type_id INT NOT NULL, tenant_id BIGINT NOT NULL,
            affinity_id INT NOT NULL
        ) ENGINE=InnoDB ROW_FORMAT=DYNAMIC""",
}
COLUMNS = (
    ("tasks", "lane_id", {"sqlite": "INTEGER NOT NULL DEFAULT 0",
                          "mysql": "INT NOT NULL DEFAULT 0"}),
    ("attempts", "ended_by", {"sqlite": "BLOB", "mysql": "BINARY(32)"}),
    ("leaders", "beat_at", {"sqlite": "INTEGER", "mysql": "BIGINT"}),
)  # fmt: skip
MOVED = ("task_details", "ended_by", {"sqlite": "BLOB", "mysql": "BINARY(32)"})
"""It belongs to the attempt that was ended, not to the task."""
INDEXES = (
    ("tasks_lane_id_ready_priority_enqueued_at", "tasks",
     "lane_id, ready, priority DESC, enqueued_at", "ready = 1"),
    ("tasks_affinity_id_ready_priority_enqueued_at", "tasks",
     "affinity_id, ready, priority DESC, enqueued_at", "ready = 1"),
    ("tasks_due_at", "tasks", "due_at", "due_at IS NOT NULL"),
    ("idempotency_keys_created_at", "idempotency_keys", "created_at", ""),
    ("lanes_affinity_id_type_id_queue_id_tenant_id", "lanes",
     "affinity_id, type_id, queue_id, tenant_id", ""),
    ("lanes_affinity_id_queue_id_tenant_id_type_id", "lanes",
     "affinity_id, queue_id, tenant_id, type_id", ""),
    ("lanes_tenant_id_affinity_id_queue_id_type_id", "lanes",
     "tenant_id, affinity_id, queue_id, type_id", ""),
)  # fmt: skip


def dialect(db):
    """Which of the two dialects this database speaks."""
    return "sqlite" if isinstance(db, SqliteDatabase) else "mysql"


def has_column(db, table, column):
    """Whether `table` has `column`: MySQL may have stopped half-way in an earlier try."""
    return any(known.name == column for known in db.get_columns(table))


def has_index(db, table, name):
    """Whether `table` has the index `name`."""
    return any(known.name == name for known in db.get_indexes(table))


def add(db, table, column, kinds):
    """Add a column where it is not there yet."""
    if not has_column(db, table, column):
        db.execute_sql(f"ALTER TABLE {table} ADD COLUMN {column} {kinds[dialect(db)]}")


def drop(db, table, column):
    """Drop a column where it is there."""
    if has_column(db, table, column):
        db.execute_sql(f"ALTER TABLE {table} DROP COLUMN {column}")


def up(migrator, db):
    """Add them; tasks that are waiting are put into their lanes by upkeep, since they are due."""
    db.execute_sql(LANES[dialect(db)])
    for table, column, kinds in COLUMNS:
        add(db, table, column, kinds)
    drop(db, *MOVED[:2])
    for name, table, columns, where in INDEXES:
        if not has_index(db, table, name):
            partial = f" WHERE {where}" if where and dialect(db) == "sqlite" else ""
            db.execute_sql(f"CREATE INDEX {name} ON {table} ({columns}){partial}")
    db.execute_sql("UPDATE tasks SET ready = 0, due_at = 0 WHERE state = 1 AND lane_id = 0")


def down(migrator, db):
    """Drop them."""
    for name, table, _, _ in INDEXES:
        if table != "lanes" and has_index(db, table, name):
            on = "" if dialect(db) == "sqlite" else f" ON {table}"
            db.execute_sql(f"DROP INDEX {name}{on}")
    add(db, *MOVED)
    for table, column, _ in COLUMNS:
        drop(db, table, column)
    db.execute_sql("DROP TABLE IF EXISTS lanes")
