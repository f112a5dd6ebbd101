"""Servers that greet and take no writes: read-only or without a quorum; and wrong lists."""

import sys
from contextlib import contextmanager
from pathlib import Path

import engines
import mariadb
import pytest
import services
from writers import Writer

from app import config
from app.database import connect
from app.errors import Unavailable

sys.path.append(str(Path(__file__).parent / "drills"))
import galera

LACKING = galera.lacking()
OFF = {
    "read-only": ("SET GLOBAL read_only = 1", "SET GLOBAL read_only = 0"),
    "no cluster with a quorum": (
        "SET GLOBAL wsrep_reject_queries = ALL",
        "SET GLOBAL wsrep_reject_queries = NONE",
    ),
}


@contextmanager
def alone(folder):
    """A cluster of one, with the newest migration."""
    if "libgalera_smm.so" in LACKING or "mariadbd" in LACKING:
        pytest.skip(f"no Galera: apt install {galera.PACKAGES}")
    made = galera.Cluster(folder, 1, "a password")
    engines.migrate(made.url)
    yield made
    made.end()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    with alone(tmp_path_factory.mktemp("galera")) as made:
        yield made


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """Another one, that has nothing to do with the first."""
    with alone(tmp_path_factory.mktemp("stranger")) as made:
        yield made


pytestmark = pytest.mark.xdist_group("galera")


@pytest.fixture(scope="module")
def writer(cluster, tmp_path_factory):
    made = Writer(cluster.url, tmp_path_factory.mktemp("writer"))
    for role in ("issuer", "viewer"):
        made.bearer(role)
    yield made
    made.close()


@contextmanager
def unfit(cluster, words):
    """The server takes no writes meanwhile."""
    off, on = OFF[words]
    cluster.nodes[0].ask(off)
    yield
    cluster.nodes[0].ask(on)


@pytest.mark.parametrize("words", OFF)
def test_a_server_that_takes_no_writes_is_503_in_words_and_heals_alone(cluster, writer, words):
    assert writer.http.get("/readyz").status_code == 200
    task = writer.enqueue()
    with unfit(cluster, words):
        for answer in (
            writer.call("POST", "tasks", {"type": "t"}, role="issuer"),
            writer.http.get("/readyz"),
        ):
            assert (answer.status_code, answer.json["code"]) == (503, "unavailable")
            assert words in answer.json["detail"]
            assert int(answer.headers["Retry-After"]) > 0
        assert writer.http.get("/healthz").status_code == 200
        read = writer.call("GET", f"tasks/{task['id']}", role="viewer")
        assert read.status_code == (200 if words == "read-only" else 503)
    assert writer.http.get("/readyz").status_code == 200
    writer.enqueue()


@pytest.mark.parametrize("words", OFF)
def test_another_server_of_the_list_is_used_instead(cluster, stranger, words):
    mine, other = cluster.nodes[0], stranger.nodes[0]
    opened = connect(config.load({"TASKS_DATABASE_URL": both(cluster, stranger)}))
    opened.rows("SELECT 1")
    assert opened.engine.hosts.current.port == mine.sql
    with unfit(cluster, words):
        opened.retried(lambda: renamed(opened))
        assert opened.engine.hosts.current.port == other.sql
        with unfit(stranger, words), pytest.raises(Unavailable, match=words):
            opened.retried(lambda: renamed(opened))
    opened.close()


def renamed(opened):
    with opened.write_transaction():
        opened.run("UPDATE tenants SET name = 'ours' WHERE id = 1")


def both(cluster, stranger):
    """An address that lists servers of two clusters."""
    listed = f"127.0.0.1:{cluster.nodes[0].sql}"
    return cluster.url.replace(listed, f"{listed},127.0.0.1:{stranger.nodes[0].sql}")


@pytest.mark.parametrize("how", ["run", "serve"])
def test_servers_of_two_clusters_are_no_list(cluster, stranger, how):
    status, lines = started(how, both(cluster, stranger))
    ports = (cluster.nodes[0].sql, stranger.nodes[0].sql)
    assert status == 1
    assert lines[-1] == (
        f"error: TASKS_DATABASE_URL: 127.0.0.1:{ports[0]} and 127.0.0.1:{ports[1]}"
        " do not belong to one cluster"
    )


def started(how, url):
    """How a start ends -> exit status, the lines of stderr."""
    settings = {"TASKS_DATABASE_URL": url, "TASKS_SECRET_KEY": services.SECRET}
    return services.refused(*services.command(how), **settings)


def test_when_no_server_of_the_list_answers_all_are_named(cluster):
    closed = mariadb.free_port()
    listed = f"127.0.0.1:{cluster.nodes[0].sql}"
    status, [line] = started("serve", cluster.url.replace(listed, f"127.0.0.1:{closed},{listed}x"))
    assert status == 1
    assert "has a port that is none" in line
    status, [line] = started("serve", cluster.url.replace("tasks:", "nobody:"))
    assert status == 1
    assert line.startswith(f"error: TASKS_DATABASE_URL: no server answers: {listed} (Access denied")


def test_one_that_does_not_answer_is_named_and_the_service_starts(cluster, tmp_path):
    closed = f"127.0.0.1:{mariadb.free_port()}"
    listed = f"127.0.0.1:{cluster.nodes[0].sql}"
    url = cluster.url.replace(listed, f"{closed},{listed}")
    with services.running(url, tmp_path, TASKS_WORKERS="1") as service:
        assert f"warning: the database server {closed} (" in service.logged()


def test_reads_wait_for_what_was_committed_through_another_server(cluster):
    opened = connect(config.load({"TASKS_DATABASE_URL": cluster.url}))
    assert opened.rows("SELECT @@wsrep_sync_wait") == [(1,)]
    opened.close()
