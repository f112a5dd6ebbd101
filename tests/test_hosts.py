"""Several database servers: one is used at a time, another while it cannot be, then it again."""

from contextlib import closing, contextmanager
from threading import Timer
from urllib.parse import urlsplit

import pytest
from relay import Relay

from app import config, database, hosts
from app.addresses import Address, account
from app.errors import Unavailable


@pytest.mark.parametrize(
    ("listed", "servers"),
    [
        ("one", [("one", 3306)]),
        ("one:1,two", [("one", 1), ("two", 3306)]),
        ("u:p%40ss@one:3307,two:3308,[::1]:3309", [("one", 3307), ("two", 3308), ("::1", 3309)]),
        ("u@[::1]", [("::1", 3306)]),
    ],
)
def test_an_address_names_one_server_or_several_in_order(listed, servers):
    url = f"mysql://{listed}/tasks"
    assert config.load({"TASKS_DATABASE_URL": url}).database_url == url
    assert [(one.host, one.port) for one in account(url).servers] == servers


def test_account_and_name_are_unquoted():
    found = account("mysql://a%3Ab:c%2Fd@one,two/na%20me")
    assert (found.user, found.password, found.name) == ("a:b", "c/d", "na me")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://u:p@one,,two/tasks", "names no server in ''"),
        ("mysql://u:p@one,two,/tasks", "names no server in ''"),
        ("mysql://u:p@one:x,two/tasks", "has a port that is none in 'one:x'"),
        ("mysql://u:p@one:0,two/tasks", "has a port that is none in 'one:0'"),
        ("mysql://u:p@one:70000/tasks", "has a port that is none in 'one:70000'"),
        ("mysql://u:p@one,two:3306,one:3306/tasks", "names one:3306 twice"),
        ("mysql://u:p@one,two", "must be mysql://"),
        ("mysql://u:p@/tasks", "must be mysql://"),
        ("postgres://one/tasks", "must be sqlite:///path or mysql://"),
        ("sqlite://one/tasks", "must be sqlite:///path or mysql://"),
    ],
)
def test_a_wrong_list_is_one_line_that_names_the_setting(url, words):
    with pytest.raises(config.BadSetting, match=r"^TASKS_DATABASE_URL ") as refusal:
        config.load({"TASKS_DATABASE_URL": url})
    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.fixture
def ways(mysql_engine):
    """Two ways to one server, and the address that lists them."""
    parts = urlsplit(mysql_engine.fresh())
    both = [Relay(parts.hostname, parts.port) for _ in range(2)]
    listed = ",".join(f"127.0.0.1:{way.port}" for way in both)
    yield *both, f"mysql://{parts.username}:{parts.password}@{listed}{parts.path}"
    for way in both:
        way.cut()


@contextmanager
def connected(url, **more):
    hurry = {"TASKS_DATABASE_TIMEOUT": 1, "TASKS_QUERY_SECONDS": 1}
    given = {"TASKS_DATABASE_URL": url, **hurry, **more}
    with closing(database.connect(config.load(given))) as opened:
        yield opened


def named(name):
    """A whole transaction that can be run again."""

    def act(opened):
        with opened.write_transaction():
            opened.run("UPDATE tenants SET name = %s WHERE id = 1", (name,))

    return act


def name_of(opened):
    return opened.rows("SELECT name FROM tenants WHERE id = 1")[0][0]


def test_the_first_server_is_used_while_it_can_be(ways):
    first, second, url = ways
    with connected(url) as opened:
        named("ours")(opened)
        assert name_of(opened) == "ours"
    assert first.passed
    assert not second.passed


def test_one_that_cannot_be_reached_is_passed_over(ways):
    first, second, url = ways
    first.cut()
    with connected(url) as opened:
        named("ours")(opened)
        assert name_of(opened) == "ours"
    assert second.passed


@pytest.mark.parametrize("how", ["cut", "block"])
def test_an_act_goes_on_at_the_next_server_when_its_own_goes_away(ways, how):
    first, second, url = ways
    with connected(url) as opened:
        opened.rows("SELECT 1")
        getattr(first, how)()
        opened.retried(lambda: named("ours")(opened))
        assert name_of(opened) == "ours"
        assert opened.engine.hosts.current.port == second.port


@pytest.mark.parametrize("how", ["cut", "block"])
@pytest.mark.parametrize("patience", [1, 5])
def test_an_act_is_run_again_when_its_server_goes_away_in_the_middle(ways, how, patience):
    first, _, url = ways
    with connected(url, TASKS_QUERY_SECONDS=patience) as opened:
        tries = []

        def act():
            with opened.write_transaction():
                opened.run("UPDATE tenants SET name = 'ours' WHERE id = 1")
                tries.append(1)
                if len(tries) == 1:
                    getattr(first, how)()
                opened.run("UPDATE tenants SET uuid = uuid WHERE id = 1")

        if how == "block":
            # Like a cluster that throws a dead server out: its locks go with it.
            Timer(3.5, first.cut).start()
        opened.retried(act)
        assert len(tries) == 2
        assert name_of(opened) == "ours"


def test_a_read_goes_on_at_the_next_server(ways):
    first, second, url = ways
    with connected(url) as opened:
        opened.rows("SELECT 1")
        first.block()
        assert name_of(opened) == "root"
        assert opened.engine.hosts.current.port == second.port


def test_after_a_while_the_first_one_is_used_again(ways, monkeypatch):
    first, _, url = ways
    monkeypatch.setattr(hosts, "BACK_SECONDS", 0.2)
    first.cut()
    with connected(url) as opened:
        assert name_of(opened) == "root"
        first.open()
        was = first.passed
        deadline = 100
        while opened.engine.hosts.current.port != first.port and deadline:
            opened.rows("SELECT SLEEP(0.05)")
            opened.release()
            deadline -= 1
        assert opened.engine.hosts.current.port == first.port
        opened.rows("SELECT 1")
        assert first.passed > was
        # The connection to the second was not kept.
        assert {one.server.port for _, _, one in opened.engine._connections} <= {first.port}


def test_what_was_read_on_another_server_is_not_remembered(ways):
    first, _, url = ways
    with connected(url) as opened:
        opened.rows("SELECT 1")
        opened.memory["kept"] = 1
        first.cut()
        opened.rows("SELECT 1")
        assert "kept" not in opened.memory


def test_when_no_server_answers_the_caller_is_told_when_to_come_back(ways):
    first, second, url = ways
    first.cut()
    second.cut()
    with connected(url) as opened:
        for act in (lambda: name_of(opened), lambda: opened.retried(lambda: named("x")(opened))):
            with pytest.raises(Unavailable, match="does not answer") as refusal:
                act()
            assert refusal.value.facts["seconds"] > 0


def test_a_commit_that_got_no_answer_is_repeated_only_by_acts_that_bear_it(ways):
    first, _, url = ways
    with connected(url) as opened:
        tries = []

        def act():
            with opened.write_transaction():
                opened.run("UPDATE tenants SET name = 'ours' WHERE id = 1")
                tries.append(1)
                if len(tries) == 1:
                    first.cut()

        with pytest.raises(Unavailable):
            opened.retried(act)
        assert len(tries) == 1
        first.open()
        opened.engine.hosts.turn(Address("127.0.0.1", first.port))
        tries.clear()
        opened.retried(act, repeatable=True)
        assert len(tries) == 2


def test_what_the_engine_itself_refuses_is_no_lost_connection(engine):
    with connected(engine) as opened, pytest.raises(Unavailable):
        opened.rows("SELECT * FROM nowhere")
