"""Where a part is measured: an engine, a size, and the database of both."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.database import Database
from benches.cost import Cost
from benches.scale import mysqls
from benches.scale.stock import Stock, opened


@dataclass
class Place:
    """One database of the stock; `room`: a folder for what does not last.

    `least`: the same engine's smallest database, which is measured in turn with this one.
    """

    stock: Stock
    engine: str
    size: int
    room: Path
    least: int

    @property
    def sizes(self) -> list[int]:
        """The smallest size and this one; only this one when it is the smallest."""
        return sorted({self.least, self.size})

    @property
    def urls(self) -> list[str]:
        """The addresses of the databases of these sizes."""
        return [self.stock.url(self.engine, size) for size in self.sizes]

    @property
    def against(self) -> int | None:
        """The size against which this one is judged."""
        return None if self.size == self.least else self.least

    @property
    def url(self) -> str:
        """The address of the database, which changes when the server is started anew."""
        return self.stock.url(self.engine, self.size)

    @property
    def server(self) -> mysqls.Server | None:
        """The database's server; None on SQLite."""
        return self.stock.server if self.engine == "mysql" else None

    def files(self) -> list[Path]:
        """The files of the engine's databases."""
        name = "sqlite" if self.engine == "sqlite" else "mysql"
        return [file for file in (self.stock.folder / name).rglob("*") if file.is_file()]

    @contextmanager
    def database(self) -> Iterator[Database]:
        """The database, opened as the service opens it."""
        database = opened(self.url)
        try:
            yield database
        finally:
            database.close()

    @contextmanager
    def databases(self) -> Iterator[list[Database]]:
        """Those of the smallest size and of this one."""
        some = [opened(url) for url in self.urls]
        try:
            yield some
        finally:
            for database in some:
                database.close()

    def seconds(self, cost: Cost) -> float:
        """What judges: processor time on SQLite, the wall's on MariaDB."""
        return cost.cpu if self.engine == "sqlite" else cost.wall
