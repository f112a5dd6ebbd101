"""Tenants whose clients and users get no new token."""

from peewee import SqliteDatabase


def there(db):
    """Whether the column is there: MySQL may have stopped half-way in an earlier try."""
    return any(column.name == "disabled_at" for column in db.get_columns("tenants"))


def up(migrator, db):
    """Add the time since when."""
    if not there(db):
        kind = "INTEGER" if isinstance(db, SqliteDatabase) else "BIGINT"
        db.execute_sql(f"ALTER TABLE tenants ADD COLUMN disabled_at {kind}")


def down(migrator, db):
    """Drop it."""
    if there(db):
        db.execute_sql("ALTER TABLE tenants DROP COLUMN disabled_at")
