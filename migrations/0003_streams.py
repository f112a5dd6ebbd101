"""Claims by type, by queue or by branch of the tenants' tree: indexes of the ready tasks of each."""

from peewee import SqliteDatabase

COLUMNS = ("type_id", "queue_id", "branch_id")
NAME = "tasks_{}_affinity_id_ready_priority_enqueued_at"
INDEX = "CREATE INDEX {} ON tasks ({}, affinity_id, ready, priority DESC, enqueued_at){}"


def names(db):
    """The indexes that the tasks have: MySQL may have stopped half-way in an earlier try."""
    return {index.name for index in db.get_indexes("tasks")}


def up(migrator, db):
    """Add them."""
    partial = " WHERE ready = 1" if isinstance(db, SqliteDatabase) else ""
    there = names(db)
    for column in COLUMNS:
        if NAME.format(column) not in there:
            db.execute_sql(INDEX.format(NAME.format(column), column, partial))


def down(migrator, db):
    """Drop them."""
    there = names(db)
    on = "" if isinstance(db, SqliteDatabase) else " ON tasks"
    for column in COLUMNS:
        if NAME.format(column) in there:
            db.execute_sql(f"DROP INDEX {NAME.format(column)}{on}")
