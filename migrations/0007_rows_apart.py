"""Tasks whose times lie far apart may be listed in `invariants`, and bounds narrow.

Nothing changes here. But code from before would look for no row beyond a bound, and remember bounds
that have narrowed: it must not go on beside code that lists rows.
"""

TIMES = ("assigned_at", "started_at", "updated_at", "completed_at")
NARROWED = "(name >= 'tasks apart ' AND name < 'tasks apart!') OR name = 'tasks: being measured'"
UNBOUND = 2**62


def up(migrator, db):
    """Rows are listed when they are written."""


def down(migrator, db):
    """Bounds are as wide as the rows may need that are listed, or were about to be."""
    if not db.execute_sql(f"SELECT 1 FROM invariants WHERE {NARROWED} LIMIT 1").fetchone():
        return
    for time in TIMES:
        for way in ("after", "before"):
            name = f"tasks.{time} {way}"
            db.execute_sql(f"DELETE FROM invariants WHERE name = '{name}'")
            db.execute_sql(f"INSERT INTO invariants (name, value) VALUES ('{name}', {UNBOUND})")
    db.execute_sql("UPDATE invariants SET value = value + 1 WHERE name = 'version'")
    db.execute_sql(f"DELETE FROM invariants WHERE {NARROWED}")
