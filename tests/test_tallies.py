"""Figures: whatever is done and whenever they are folded, they say what counting the rows says."""

import contextlib

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from writers import Writer

from app import clock, database
from app.catalog.activities import ACTIVITIES
from app.catalog.tallies import TALLIES
from app.catalog.tasks import TASKS
from app.repository import tenants
from app.repository.figures import hooking, refilling, tallying
from app.repository.lists import listing
from app.repository.lists.query import Query
from app.repository.maintenance import purging, removing
from app.repository.timers import upkeep
from app.service import service_of
from app.vocabulary import Lod

OK = {"result": {"code": "ok"}}
CATALOGS = (TASKS, ACTIVITIES)
PATIENT = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True,
           "phases": [Phase.generate], "max_examples": 12, "stateful_step_count": 30}  # fmt: skip


def told(base, tally):
    """What figures and changes say of each kept tenant, by dimensions and over all of a kind."""
    keys = ", ".join(("node", *tally.columns))
    kept = refilling.figures_of(tally, f"(SELECT * FROM {tally.changes})")
    changed = base.rows(f"{refilling.ABOVE} {kept}")
    found = {}
    for *key, n in [*base.rows(f"SELECT {keys}, n FROM {tally.figures}"), *changed]:
        found[tuple(key)] = found.get(tuple(key), 0) + int(n)
    return {key: n for key, n in found.items() if n}


def counted(base, tally):
    """The same by counting rows."""
    rows = refilling.rows_of(tally).split("UNION ALL")[0]
    found = base.rows(f"{refilling.ABOVE} {refilling.figures_of(tally, f'({rows})')}")
    return {tuple(key): int(n) for *key, n in found}


def nodes_told(base, tally):
    """How many rows each tenant with all below it has, by figures and changes."""
    found = dict(base.rows(f"SELECT node, n FROM {tally.nodes}"))
    above = (
        f"{refilling.ABOVE} SELECT a.node, SUM(c.n) FROM {tally.changes} c "
        "JOIN above a ON a.tenant_id = c.tenant_id GROUP BY a.node"
    )
    for number, n in base.rows(above):
        found[number] = found.get(number, 0) + int(n)
    return {number: n for number, n in found.items() if n}


def nodes_counted(base, tally):
    above = (
        f"{refilling.ABOVE} SELECT a.node, COUNT(*) FROM {tally.table} r "
        "JOIN above a ON a.tenant_id = r.tenant_id GROUP BY a.node"
    )
    return dict(base.rows(above))


def check(base):
    """Figures are what counting says, for every tenant that has some."""
    for tally in TALLIES:
        assert told(base, tally) == counted(base, tally)
        assert nodes_told(base, tally) == nodes_counted(base, tally)


FILTERS = (
    {}, {"allow_deleted": [True]}, {"state": ["enqueued"]}, {"state": ["assigned", "completed"]},
    {"resultCode": ["ok"]}, {"resultCode": ["ok", "cancelled"], "state": ["completed"]},
    {"type": ["t0"]}, {"type": ["t0", "t1", "nobody's"]}, {"type": ["nobody's"]},
)  # fmt: skip
OF_TASKS = ({"queue": ["q0"]}, {"queue": ["q0", "q1"], "type": ["t1"]}, {"priority": ["high"]},
            {"priority": ["high", "normal"], "queue": ["q1"], "allow_deleted": [True]})  # fmt: skip
OF_ACTIVITIES = ({"sustainable": [True]}, {"sustainable": [False], "type": ["t0"]})


def asked(base):
    """Every count by figures is the count by rows, in every subtree."""
    for catalog, more in zip(CATALOGS, (OF_TASKS, OF_ACTIVITIES), strict=True):
        for node in tenants.subtree(base, tenants.root(base)):
            for filters in (*FILTERS, *more):
                query = Query(filters=filters, lod=Lod.COUNT)
                number = listing.count(base, catalog, query, node, 0)
                with rows_alone():
                    assert listing.count(base, catalog, query, node, 0) == number, (filters, node)


@contextlib.contextmanager
def rows_alone():
    known, listing.figure = listing.figure, lambda *_: None
    try:
        yield
    finally:
        listing.figure = known


class Figures(RuleBasedStateMachine):
    """One database, tasks of three tenants, and folding at any moment."""

    writer: Writer

    @initialize(many=st.sampled_from([1, 4, 1000]), batch=st.sampled_from([1, 3, 100]))
    def begin(self, many, batch):
        refilling.MANY, tallying.BATCH = many, batch
        for tally in reversed(TALLIES):  # MySQL fires no trigger for what a foreign key removes
            self.writer.database.run(f"DELETE FROM {tally.table}")
        refilling.mend(self.writer.database, TALLIES[0])
        self.leases = {}

    @rule(type=st.integers(0, 1), queue=st.integers(0, 1), tenant=st.sampled_from([2, 3]),
          priority=st.sampled_from(["low", "normal", "high"]))  # fmt: skip
    def enqueue(self, type, queue, tenant, priority):
        body = {"type": f"t{type}", "queue": f"q{queue}", "priority": priority}
        answer = self.writer.call("POST", "tasks", body, role="issuer", tenant=tenant)
        assert answer.status_code == 201, answer.text

    @rule()
    def claim(self):
        for item in self.writer.claim():
            self.leases[item["id"]] = item["lease"]["token"]

    @rule(data=st.data(), step=st.sampled_from(["started", "paused", "completed", "enqueued"]))
    def step(self, data, step):
        if self.leases:
            task = data.draw(st.sampled_from(sorted(self.leases)))
            body = {"completed": OK, "enqueued": {"reason": "x"}}.get(step, {})
            self.writer.step(task, step, self.leases[task], body)

    @rule(data=st.data(), type=st.integers(0, 1), sustainable=st.booleans())
    def activity(self, data, type, sustainable):
        if self.leases:
            task = data.draw(st.sampled_from(sorted(self.leases)))
            body = {"taskId": task, "type": f"t{type}", "sustainable": sustainable}
            self.writer.call("POST", "activities", body, self.leases[task], "consumer")

    @rule(data=st.data())
    def delete(self, data):
        rows = self.writer.database.rows("SELECT id FROM tasks ORDER BY id")
        if rows:
            task = data.draw(st.sampled_from([row[0] for row in rows]))
            self.writer.call("DELETE", f"tasks/{task}")

    @rule(type=st.integers(0, 1), end=st.sampled_from(["completed", "enqueued"]))
    def life(self, type, end):
        """A whole one, so that there is always something to be purged."""
        self.enqueue(type, 0, 2, "normal")
        for item in self.writer.claim(limit=100):
            lease = item["lease"]["token"]
            self.writer.step(item["id"], "started", lease, {})
            body = {"taskId": item["id"], "type": f"t{type}", "state": "started"}
            assert (
                self.writer.call("POST", "activities", body, lease, "consumer").status_code == 201
            )
            body = {"completed": OK, "enqueued": {"reason": "x"}}[end]
            assert self.writer.step(item["id"], end, lease, body).status_code == 200

    @rule()
    def purge(self):
        list(purging.Purge(clock.now() + 1).run(self.writer.database))

    @rule(tenant=st.sampled_from([2, 3]))
    def move(self, tenant):
        """As an import that replaces does."""
        base = self.writer.database
        found = base.row(f"SELECT id FROM tasks WHERE tenant_id <> {tenant} LIMIT 1")
        if found:
            with base.write_transaction():
                base.run(f"UPDATE tasks SET tenant_id = {tenant} WHERE id = {found[0]}")
                base.run(f"UPDATE activities SET tenant_id = {tenant} WHERE task_id = {found[0]}")

    @rule(tally=st.sampled_from(TALLIES))
    def fold(self, tally):
        tallying.fold(self.writer.database, tally)

    @rule()
    def fold_all(self):
        tallying.fold_all(self.writer.database)
        for tally in TALLIES:
            assert not self.writer.database.rows(f"SELECT 1 FROM {tally.changes}")

    @rule(tally=st.sampled_from(TALLIES))
    def mend(self, tally):
        refilling.mend(self.writer.database, tally)

    def teardown(self):
        if hasattr(self, "leases"):
            self.life(1, "completed")
            check(self.writer.database)
            self.purge()
            check(self.writer.database)
            asked(self.writer.database)


def run(writer):
    """Any sequence of all that happens to tasks keeps the figures true."""
    Figures.writer = writer
    Figures.TestCase.settings = settings(**PATIENT)
    Figures.TestCase("runTest").runTest()


@pytest.fixture
def writer(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(purging, "BREATH", 0)
    for module, name in ((refilling, "MANY"), (tallying, "BATCH")):
        monkeypatch.setattr(module, name, getattr(module, name))
    made = Writer(engine, tmp_path)
    yield made
    made.close()


def test_whatever_happens_figures_say_what_counting_says(writer):
    run(writer)


@pytest.mark.parametrize("event", hooking.EVENTS)
@pytest.mark.parametrize("tally", TALLIES, ids=lambda tally: tally.name)
def test_a_trigger_that_is_left_out_is_noticed(writer, monkeypatch, tally, event):
    made = hooking.triggers

    def fewer(base, of):
        return {name: text for name, text in made(base, of).items()
                if name != hooking.trigger(tally, event)}  # fmt: skip

    monkeypatch.setattr(hooking, "triggers", fewer)
    writer.database.run(f"DROP TRIGGER {hooking.trigger(tally, event)}")
    with pytest.raises((AssertionError, ExceptionGroup)) as noticed:
        run(writer)
    assert noticed.type is AssertionError or noticed.group_contains(AssertionError)


def test_what_comes_to_nothing_is_removed(writer):
    writer.enqueue(priority="high")
    tallying.fold_all(writer.database)
    before = writer.database.rows("SELECT * FROM task_tallies")
    assert writer.claim()
    tallying.fold_all(writer.database)
    after = writer.database.rows("SELECT * FROM task_tallies")
    assert len(before) == len(after) == 4
    assert not set(before).intersection(after)


def test_a_number_that_is_given_again_begins_with_nothing(writer):
    """A tenant is removed, and a new one takes its place elsewhere: no figure is left behind."""
    base = writer.database
    parent = tenants.by_ids(base, [2])[2]
    node = tenants.create(base, "short-lived", parent)
    task = writer.enqueue()["id"]
    base.run(f"UPDATE tasks SET tenant_id = {node.id} WHERE id = {task}")
    tallying.fold(base, TALLIES[0])
    base.run(f"UPDATE tasks SET tenant_id = 3 WHERE id = {task}")
    removing.delete(base, node)
    check(base)
    tallying.fold_all(base)
    check(base)


def test_upkeep_folds_what_has_gathered(writer, monkeypatch):
    monkeypatch.setattr(tallying, "LEAST", 3)
    for _ in range(2):
        writer.enqueue()
    upkeep.turn(writer.database, clock.now())
    assert len(writer.database.rows("SELECT 1 FROM task_tally_changes")) == 2
    writer.enqueue()
    assert upkeep.turn(writer.database, clock.now(), until=0).more
    assert not upkeep.turn(writer.database, clock.now()).more
    assert not writer.database.rows("SELECT 1 FROM task_tally_changes")
    check(writer.database)


def test_all_is_folded_although_more_is_written_all_the_time(writer, monkeypatch):
    """`flask reap --once` ends beside a busy service."""
    fold, calls = tallying.fold, []

    def beside_writers(base, tally):
        writer.enqueue()
        calls.append(tally)
        assert len(calls) < 20
        return fold(base, tally)

    writer.enqueue()
    monkeypatch.setattr(tallying, "fold", beside_writers)
    assert tallying.fold_all(writer.database) >= 1
    check(writer.database)


def test_two_who_fold_at_once_count_nothing_twice(writer):
    """On MySQL the second one finds the lock taken and leaves; SQLite has one writer at a time."""
    if writer.database.dialect == "sqlite":
        return
    writer.enqueue()
    other = database.connect(service_of(writer.app).settings)
    with other.write_transaction():
        assert tallying.free(other, TALLIES[0])
        assert tallying.fold(writer.database, TALLIES[0]) == 0
    other.close()
    assert tallying.fold(writer.database, TALLIES[0]) == 1


def test_figures_are_gathered_anew_when_changes_were_folded_meanwhile(writer):
    base, tally = writer.database, TALLIES[0]
    writer.enqueue()
    with base.write_transaction(), refilling.gathered(base, tally) as folds:
        base.run(f"UPDATE {tally.nodes} SET folds = folds + 1")
        assert not refilling.replaced(base, tally, folds)


def test_without_figures_rows_are_counted(writer):
    writer.enqueue(queue="q0")
    for tally in TALLIES:
        hooking.unhook(writer.database, tally)
    writer.enqueue(queue="q0")
    query = Query(filters={"queue": ["q0"]}, lod=Lod.COUNT)
    assert listing.count(writer.database, TASKS, query, tenants.root(writer.database), 0) == 2
    assert tallying.fold_all(writer.database) == 0
    refilling.recover(writer.database)
    assert not refilling.uncounted(writer.database)
    check(writer.database)
