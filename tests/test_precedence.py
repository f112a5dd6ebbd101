"""Reads before writes: who waits for whom, and for how long at most."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from io import BytesIO

import pytest
from writers import Writer

from app import clock, config, database, precedence
from app.precedence import AT_ONCE, Precedence

LONG = 30.0


@pytest.fixture
def order():
    return Precedence()


@pytest.fixture
def connected(engine):
    with closing(database.connect(config.load({"TASKS_DATABASE_URL": engine}))) as opened:
        yield opened


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.database.close()


def patient(monkeypatch, **seconds):
    """What these tests do not let end by itself lasts long."""
    for name in ("LINE_SECONDS", "COURTESY_SECONDS", "SHORT_SECONDS"):
        monkeypatch.setattr(precedence, name, seconds.get(name, LONG))


@contextmanager
def writing(order):
    """A write that has begun."""
    with order.writing():
        order.begin()
        yield


def wrote(order, told):
    with writing(order):
        told.set()


def test_a_write_lets_the_reads_go_first_that_have_begun(order, monkeypatch):
    patient(monkeypatch)
    told = threading.Event()
    with ThreadPoolExecutor(1) as elsewhere:
        with order.reading():
            done = elsewhere.submit(wrote, order, told)
            assert not told.wait(0.05)
        done.result(5)


def test_a_write_waits_for_no_read_that_takes_long(order, monkeypatch):
    patient(monkeypatch, SHORT_SECONDS=0.01)
    with order.reading(), ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(wrote, order, threading.Event()).result(5)


def test_a_write_is_polite_for_a_short_time_all_in_all(order, monkeypatch):
    patient(monkeypatch, COURTESY_SECONDS=0.01)
    began = clock.monotonic()
    with order.reading(), writing(order):
        for _ in range(1_000):
            order.pause()
    assert clock.monotonic() - began < 5


def test_who_only_reads_waits_for_nobody(order, monkeypatch):
    patient(monkeypatch)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(order.reading())
        order.pause()
    assert not order.reads


def test_one_write_at_a_time_is_worked_on(order, monkeypatch):
    patient(monkeypatch)
    told = threading.Event()
    with ThreadPoolExecutor(1) as elsewhere:
        with writing(order):
            done = elsewhere.submit(wrote, order, told)
            assert not told.wait(0.05)
        done.result(5)
    assert order.line.free == AT_ONCE


def test_a_write_that_is_stuck_halts_no_other(order, monkeypatch):
    patient(monkeypatch, LINE_SECONDS=0.01)
    with writing(order), ThreadPoolExecutor(1) as elsewhere:
        elsewhere.submit(wrote, order, threading.Event()).result(5)
    assert (order.line.free, len(order.line.line)) == (AT_ONCE, 0)


def test_a_write_that_fails_leaves_its_place(order):
    with pytest.raises(ZeroDivisionError), writing(order):
        raise ZeroDivisionError
    assert order.line.free == AT_ONCE


@pytest.mark.parametrize(("seconds", "free"), [(0.0, 0), (1.0, AT_ONCE)])
def test_the_place_is_left_during_a_commit_where_commits_take_long(connected, seconds, free):
    order, found = connected.precedence, []
    run = connected.run

    def looking(sql, values=()):
        if sql == "COMMIT":
            found.append(order.line.free)
        return run(sql, values)

    connected.run = looking
    order.commits = seconds
    with writing(order), connected.write_transaction():
        connected.run("UPDATE tenants SET name = 'ours' WHERE id = 1")
    assert found == [free]
    assert order.line.free == AT_ONCE


def test_who_looks_for_work_with_the_pen_in_hand_lets_nobody_go_first(connected):
    order = connected.precedence
    with writing(order):
        with connected.near_writes():
            assert bool(order.thread.courtesy) == (connected.dialect == "mysql")
        assert order.thread.courtesy > 0


def test_how_long_a_commit_takes_is_learned(order, monkeypatch):
    monkeypatch.setattr(clock, "monotonic", lambda: 8.0)
    order.committed(0.0)
    order.committed(0.0)
    assert order.commits == 0.5 + 7.5 / 16


def test_a_claim_that_waits_leaves_its_place(writer, monkeypatch):
    patient(monkeypatch)
    writer.bearer("consumer"), writer.bearer("issuer")
    with ThreadPoolExecutor(1) as elsewhere:
        waiting = elsewhere.submit(writer.claim, wait=20)
        answer = writer.call("POST", "tasks", {"type": "t"}, role="issuer")
        assert answer.status_code == 201
        assert [item["id"] for item in waiting.result(15)] == [answer.json["id"]]


class Arriving(BytesIO):
    """A body that looks around while it is read."""

    def __init__(self, body, look):
        super().__init__(body)
        self.look = look

    def read(self, *length):
        self.look()
        return super().read(*length)


@pytest.mark.parametrize(("method", "path", "body", "status"), [
    ("POST", "tasks", b'{"type": "t"}', 201), ("PUT", "tasks/{}/restored", b"{}", 200),
    ("POST", "tasks/claim", b'{"executor": {"id": "a"}}', 200), ("DELETE", "tasks/{}", b"{}", 409),
])  # fmt: skip
def test_who_waits_for_a_body_has_no_place_yet(writer, monkeypatch, method, path, body, status):
    """Whoever sends his slowly would have all others wait as long as they may."""
    order, free, entered = writer.database.precedence, [], []
    enter = order.line.enter
    number = writer.enqueue()["id"]
    monkeypatch.setattr(order.line, "enter", lambda: entered.append(1) or enter())
    stream = Arriving(body, lambda: free.append(order.line.free))
    answer = writer.call(
        method, path.format(number), input_stream=stream, content_length=len(body),
        content_type="application/json",
    )  # fmt: skip
    assert (answer.status_code, free[:1], entered) == (status, [AT_ONCE], [1])
    assert order.line.free == AT_ONCE


def test_who_is_refused_before_his_body_is_read_waits_for_no_place(writer, monkeypatch):
    monkeypatch.setattr(writer.database.precedence.line, "enter", pytest.fail)
    assert writer.call("POST", "tasks", {"type": "t"}, role="viewer").status_code == 403


def test_lists_and_writes_over_http_take_their_turns(writer, monkeypatch):
    order, seen = writer.database.precedence, []
    monkeypatch.setattr(
        type(order), "pause", lambda self: seen.append((len(self.reads), self.line.free))
    )
    writer.call("GET", "tasks", role="viewer")
    assert {reads for reads, _ in seen[-1:]} == {1}
    assert writer.call("POST", "tasks", {"type": "t"}, role="issuer").status_code == 201
    assert seen[-1] == (0, 0)
    assert (order.reads, order.line.free) == (set(), AT_ONCE)
