"""Checked rows on their way to the tables, in a temporary file."""

import marshal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from app.repository.maintenance.importing.layout import Rows


@dataclass
class Batch:
    """Rows that are written together, and what has to make room for them."""

    rows: Rows
    replaced: dict[str, list[int]] = field(default_factory=dict)
    """Ids of rows that are there and are overwritten, by collection."""
    moved: list[tuple[int, int, int]] = field(default_factory=list)
    """Tenant, branch and id of replaced tasks, whose activities follow them."""
    needed: dict[str, list[int]] = field(default_factory=dict)
    """Ids of rows that the database has and to which rows of these refer, by collection."""


class Spool:
    """Batches, kept in order and read once. Values are what `marshal` knows: no objects."""

    def __init__(self) -> None:
        """Begin with none. Raises OSError when there is no room for temporary files."""
        self.file = tempfile.TemporaryFile(prefix="tasks-import-")  # noqa: SIM115 - see close()
        self.counts: dict[str, int] = {}

    def add(self, batch: Batch) -> None:
        """Keep one more batch."""
        for table, rows in batch.rows.items():
            self.counts[table] = self.counts.get(table, 0) + len(rows)
        data: tuple[Any, ...] = (batch.rows, batch.replaced, batch.moved, batch.needed)
        # In one piece: read from a file directly, marshal would ask it for every value by itself.
        packed = marshal.dumps(data)
        self.file.write(len(packed).to_bytes(8, "little"))
        self.file.write(packed)

    def __iter__(self) -> Iterator[Batch]:
        """All batches, in the order in which they came."""
        self.file.flush()
        self.file.seek(0)
        while head := self.file.read(8):
            yield Batch(*marshal.loads(self.file.read(int.from_bytes(head, "little"))))

    def close(self) -> None:
        """Forget everything."""
        self.file.close()
