"""What every test can ask for: an engine's database, and the account of what really ran."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import engines
import mariadb
import pytest
from commands import Commands
from engines import USED

pytest_plugins = ["reading"]
CI = os.environ.get("CI", "").lower() in ("1", "true")
ROOM = pytest.StashKey[Path]()
ALIVE = pytest.StashKey[Any]()


def pytest_configure(config: pytest.Config) -> None:
    """The run has a room of its own; workers share their controller's."""
    config.stash[USED] = {}
    if hasattr(config, "workerinput"):
        config.stash[ROOM] = Path(config.workerinput["room"])
    else:
        config.stash[ROOM], config.stash[ALIVE] = engines.make_room()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Nothing stays behind."""
    if ALIVE in config.stash:
        engines.leave_room(config.stash[ROOM], config.stash[ALIVE])


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the room is."""
    node.workerinput["room"] = str(node.config.stash[ROOM])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker tells its controller what it used."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["used"] = session.config.stash[USED]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """The controller hears what a worker used."""
    node.config.stash[USED].update(getattr(node, "workeroutput", {}).get("used", {}))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say which engines and browser really ran."""
    for name, facts in sorted(config.stash[USED].items()):
        terminalreporter.write_line(f"{name}: {facts}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[None]:
    """In CI a test that was skipped has failed: everything it needs belongs there."""
    report = yield
    if CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def worker() -> str:
    """This process's name among those that run tests at the same time."""
    return os.environ.get("PYTEST_XDIST_WORKER", "alone")


@pytest.fixture(scope="session")
def sqlite_engine(pytestconfig: pytest.Config, worker: str) -> engines.SqliteEngine:
    """SQLite, as this Python has it."""
    engine = engines.SqliteEngine(pytestconfig.stash[ROOM], worker)
    pytestconfig.stash[USED]["sqlite"] = engine.facts()
    return engine


@pytest.fixture(scope="session")
def mysql_engine(pytestconfig: pytest.Config, worker: str) -> engines.MysqlEngine:
    """The run's own MariaDB, or the server that was given; without either its tests are skipped."""
    server = mariadb.server(pytestconfig.stash[ROOM])
    if server is None:
        pytestconfig.stash[USED]["mysql"] = f"NOT TESTED: {mariadb.MISSING}"
        pytest.skip(mariadb.MISSING)
    engine = engines.MysqlEngine(server, worker)
    pytestconfig.stash[USED]["mysql"] = engine.facts()
    return engine


@pytest.fixture(params=["sqlite", "mysql"])
def either(request: pytest.FixtureRequest) -> Any:
    """Each engine in turn."""
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture
def engine(either: Any) -> Iterator[str]:
    """The address of a database at the newest migration, with nothing in it; on each engine."""
    url = either.fresh()
    yield url
    either.forget(url)


@pytest.fixture
def blank(either: Any) -> Iterator[str]:
    """The address of a database without any table; on each engine."""
    url = either.blank()
    yield url
    either.forget(url)


@pytest.fixture
def cli(engine: str, tmp_path: Path) -> Commands:
    """The command line on a database with nothing in it; on each engine."""
    return Commands(engine, tmp_path)
