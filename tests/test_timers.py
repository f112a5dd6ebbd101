"""The six timers: at, before and after their time; the outage amnesty; who reaps."""

from types import SimpleNamespace

import pytest

from app import config, database
from app.catalog.tasks import TASKS
from app.errors import Unavailable
from app.repository import tenants
from app.repository.lists import projection
from app.repository.timers import firing, leading, upkeep
from app.repository.work import claiming, enqueueing, steps
from app.repository.work.enqueueing import Order
from app.repository.work.wishes import Wish
from app.vocabulary import Lod, ResultCode

SECOND = 10**9
BEGIN = 1_790_000_000 * SECOND
COLUMNS = {
    "queue": "queue_timeout", "ack": "ack_timeout", "heartbeat": "heartbeat_interval",
    "exec": "exec_timeout", "life": "life_time", "assignments": "max_assign_count",
    "failures": "max_fail_count",
}  # fmt: skip


class Stage:
    """Acts on one database, at seconds since BEGIN."""

    def __init__(self, url):
        self.url = url
        self.open()

    def open(self):
        self.database = database.connect(config.load({"TASKS_DATABASE_URL": self.url}))
        self.root = tenants.by_ids(self.database, [1])[1]

    def restart(self):
        self.database.close()
        self.open()

    def enqueue(self, not_before=None, at=0, **limits):
        details = {COLUMNS[name]: value * (1 if name[-1] == "s" else SECOND)
                   for name, value in limits.items()}  # fmt: skip
        moment = None if not_before is None else BEGIN + not_before * SECOND
        order = Order(self.root, "t", None, details=details, not_before=moment)
        [made] = enqueueing.enqueue(self.database, [order], BEGIN + at * SECOND)
        return made.id

    def claim(self, at):
        held = claiming.claim(self.database, Wish(("a", ""), self.root), 1, moment(at))
        return held[0].fence if held else None

    def turn(self, at):
        return upkeep.turn(self.database, moment(at))

    def seen(self, task):
        shown = projection.objects(self.database, TASKS, Lod.DEBUG, [task])[task]
        outcomes = [attempt.get("outcome") for attempt in shown["attempts"]]
        return SimpleNamespace(
            state=shown["state"], result=shown.get("result", {}).get("code"), outcomes=outcomes,
            all=shown,
        )  # fmt: skip


def moment(at):
    return BEGIN + round(at * SECOND)


@pytest.fixture
def stage(engine):
    made = Stage(engine)
    yield made
    made.database.close()


def queue(stage):
    return stage.enqueue(queue=10)


def late_queue(stage):
    """The queue's time counts from `notBefore` on."""
    return stage.enqueue(not_before=4, queue=6)


def ack(stage):
    task = stage.enqueue(ack=9)
    stage.claim(1)
    return task


def started(stage, **limits):
    task = stage.enqueue(**limits)
    stage.claim(1)
    steps.start(stage.database, task, moment(2), 1)
    return task


def heartbeat(stage):
    return started(stage, heartbeat=8)


def renewed(stage):
    task = started(stage, heartbeat=4)
    steps.beat(stage.database, task, moment(6), 1)
    return task


def resting(stage):
    task = started(stage, heartbeat=7)
    steps.pause(stage.database, task, moment(3), 1)
    return task


def exec_(stage):
    return started(stage, exec=8)


def paused_exec(stage):
    """Three seconds of rest do not count."""
    task = started(stage, exec=5)
    steps.pause(stage.database, task, moment(4), 1)
    steps.start(stage.database, task, moment(7), 1)
    return task


def life(stage):
    return stage.enqueue(not_before=100, life=10)


def running_life(stage):
    return started(stage, life=10)


def grace(stage):
    task = started(stage)
    steps.request_cancel(stage.database, task, moment(3), 7 * SECOND)
    return task


def flagged(stage):
    """What would send it back to the queue completes it."""
    task = started(stage, heartbeat=8)
    steps.request_cancel(stage.database, task, moment(2), 300 * SECOND)
    return task


def last_assignment(stage):
    return started(stage, heartbeat=8, assignments=1)


def last_ack(stage):
    task = stage.enqueue(ack=9, assignments=1)
    stage.claim(1)
    return task


CASES = (
    (queue, "completed", "timedout", []),
    (late_queue, "completed", "timedout", []),
    (ack, "enqueued", None, ["ack"]),
    (heartbeat, "enqueued", None, ["heartbeat"]),
    (renewed, "enqueued", None, ["heartbeat"]),
    (resting, "enqueued", None, ["heartbeat"]),
    (exec_, "completed", "timedout", ["exec"]),
    (paused_exec, "completed", "timedout", ["exec"]),
    (life, "completed", "timedout", []),
    (running_life, "completed", "timedout", ["life"]),
    (grace, "completed", "cancelled", ["grace"]),
    (flagged, "completed", "cancelled", ["heartbeat"]),
    (last_assignment, "completed", "abandoned", ["heartbeat"]),
    (last_ack, "completed", "abandoned", ["ack"]),
)


@pytest.mark.parametrize(("case", "state", "result", "outcomes"), CASES)
def test_a_timer_fires_at_its_time_and_once(stage, case, state, result, outcomes):
    task = case(stage)
    before = stage.seen(task)
    stage.turn(9.999)
    assert stage.seen(task).all == before.all
    stage.restart()
    assert stage.turn(10).fired == 1
    after = stage.seen(task)
    assert (after.state, after.result, after.outcomes) == (state, result, outcomes)
    assert after.all["revision"] == before.all["revision"] + 1
    assert after.all["updatedAt"] == "2026-09-21T14:13:30.000000000Z"
    assert "lease" not in after.all
    assert stage.turn(10).fired == 0


def test_of_two_timers_that_are_due_the_earlier_one_fires(stage):
    task = started(stage, heartbeat=8, exec=7)
    stage.turn(60)
    assert stage.seen(task).outcomes == ["exec"]


def test_a_return_starts_the_queue_timer_and_the_attempts_anew(stage):
    task = stage.enqueue(queue=30, exec=5)
    stage.claim(1)
    steps.start(stage.database, task, moment(2), 1)
    steps.give_back(stage.database, task, moment(6), 1)
    assert not {"executor": 1, "assignedAt": 1, "startedAt": 1}.keys() & {
        name for name, value in stage.seen(task).all.items() if value != {"id": "", "clusterId": ""}
    }
    stage.turn(35.9)
    stage.claim(36)
    steps.start(stage.database, task, moment(36), 2)
    stage.turn(40.9)
    assert stage.seen(task).state == "started"
    stage.turn(41)
    assert stage.seen(task).outcomes == ["requeued", "exec"]


def test_what_waits_for_its_time_is_ready_then_without_a_step(stage):
    task = stage.enqueue(not_before=10)
    before = stage.seen(task).all
    assert stage.claim(9.999) is None
    assert stage.turn(9.999).promoted == 0
    assert stage.turn(10).promoted == 1
    assert stage.seen(task).all == before
    assert stage.claim(10) == 1


def test_a_timer_does_not_wait_behind_all_that_came_of_time_at_one_moment(stage, monkeypatch):
    """Such as what was imported."""
    monkeypatch.setattr(upkeep, "BATCH", 5)
    task = ack(stage)
    orders = [Order(stage.root, "t", None, not_before=moment(2)) for _ in range(20)]
    waiting = {made.id for made in enqueueing.enqueue(stage.database, orders, moment(0))}
    done = upkeep.turn(stage.database, moment(10), until=0)
    assert (done.fired, done.more) == (1, True)
    assert done.promoted > 0
    assert stage.seen(task).outcomes == ["ack"]
    assert stage.turn(10).promoted + done.promoted == len(waiting)


def test_a_claim_needs_no_reaper_to_see_that_the_time_has_come(stage):
    stage.enqueue(not_before=10)
    assert stage.claim(10) == 1


def test_a_lease_is_void_once_its_timer_has_fired_and_not_before(stage):
    task = heartbeat(stage)
    assert steps.beat(stage.database, task, moment(500), 1).lease_until == moment(508)
    stage.turn(508)
    with pytest.raises(steps.LeaseLost):
        steps.beat(stage.database, task, moment(508), 1)


@pytest.mark.parametrize(("code", "failures"), [(None, 1), ("error", 2)])
def test_failures_are_counted_to_their_limit(stage, code, failures):
    task = stage.enqueue(failures=2)
    for fence in range(1, failures + 1):
        stage.claim(fence)
        steps.give_back(stage.database, task, moment(fence), fence, failed=True)
    seen = stage.seen(task)
    assert (seen.result, seen.all["failCount"]) == (code, failures)
    assert seen.outcomes == ["failed"] * failures


def lead(stage, candidate, at, steady):
    return upkeep.lead(stage.database, candidate, moment(at), steady)


@pytest.mark.parametrize(("away", "spared"), [(9.5, 0), (10.0, 1), (1000, 1), (-3600, 1)], ids=str)
def test_an_absence_or_a_step_of_the_clock_revokes_no_lease(stage, away, spared):
    one = leading.Candidate(upkeep.DUTY, "one")
    assert lead(stage, one, 0, 0.0) == upkeep.Turn()
    task = started(stage, heartbeat=8)
    stopped = stage.enqueue(queue=20)
    lead(stage, one, 9, 9.0)
    at = away
    turn = lead(stage, one, at, 9.5)
    assert turn.spared == spared
    assert stage.seen(task).state == "started"
    if spared:
        assert stage.seen(task).all["lease"]["expiresAt"] == shown(at + 8)
        assert turn.fired == (at > 20)
        assert stage.seen(stopped).state == ("completed" if at > 20 else "enqueued")
    assert lead(stage, one, at + 0.4, 9.9).spared == 0


def shown(at):
    from app.catalog.times import written

    return written(moment(at))


@pytest.mark.parametrize("failure", [ValueError("bad"), Unavailable(reason="bad row")], ids=str)
def test_a_task_whose_timer_fails_holds_up_no_other(stage, failure, monkeypatch, caplog):
    first, bad, last = (stage.enqueue(queue=1) for _ in range(3))
    fire_one = firing.fire_one

    def failing(connected, task, now):
        if task == bad:
            raise failure
        return fire_one(connected, task, now)

    with monkeypatch.context() as patch:
        patch.setattr(firing, "fire_one", failing)
        assert stage.turn(2).fired == 2
        assert stage.turn(2).fired == 0
    assert [stage.seen(task).state for task in (first, bad, last)] == [
        "completed", "enqueued", "completed",
    ]  # fmt: skip
    assert str(bad) in caplog.text
    assert stage.turn(2).fired == 1


def test_when_the_database_is_away_no_task_is_to_blame(stage, monkeypatch, caplog):
    for _ in range(30):
        stage.enqueue(queue=1)
    tried = []

    def away(*given):
        tried.append(given)
        raise Unavailable(reason="away")

    monkeypatch.setattr(firing, "fire_one", away)
    monkeypatch.setattr(firing, "rows", away)
    with pytest.raises(Unavailable):
        stage.turn(2)
    assert len(tried) < 5
    assert caplog.text == ""


@pytest.fixture
def hurried(monkeypatch):
    """Turns have time for one task each."""
    monkeypatch.setattr(upkeep, "WORKING_SECONDS", 0)
    monkeypatch.setattr(upkeep, "TOGETHER", 1)


def many(stage, count=3):
    """Tasks that are started at 2 and whose leases last for 8 seconds."""
    tasks = [stage.enqueue(heartbeat=8) for _ in range(count)]
    for task in tasks:
        stage.claim(1)
        steps.start(stage.database, task, moment(2), 1)
    return tasks


def ends(stage, tasks):
    return [stage.seen(task).all["lease"]["expiresAt"] for task in tasks]


def test_an_amnesty_of_many_turns_is_one_and_ends(stage, hurried):
    one, two = (leading.Candidate(upkeep.DUTY, name) for name in ("one", "two"))
    lead(stage, one, 0, 0.0)
    tasks = many(stage)
    lead(stage, one, 3, 3.0)
    assert lead(stage, two, 3, 3.0) is None
    # More than a second in all, and longer than another waits for a beat.
    times = (100, 100.9, 101.8, 102.7)
    turns = [lead(stage, one, at, at) for at in times[:3]]
    assert [(turn.spared, turn.fired, turn.more) for turn in turns] == [(1, 0, True)] * 3
    assert lead(stage, two, 102, 3.1) is None
    assert lead(stage, one, times[3], times[3]) == upkeep.Turn()
    assert ends(stage, tasks) == [shown(at + 8) for at in times[:3]]
    assert lead(stage, one, 103, 103.0) == upkeep.Turn()


def test_an_amnesty_that_is_interrupted_begins_again(stage, hurried):
    one, two = (leading.Candidate(upkeep.DUTY, name) for name in ("one", "two"))
    lead(stage, one, 0, 0.0)
    tasks = many(stage)
    lead(stage, one, 3, 3.0)
    assert [lead(stage, one, at, at).spared for at in (100, 100.5)] == [1, 1]
    assert [lead(stage, one, at, at).spared for at in (200, 200.5, 201)] == [1, 1, 1]
    # It dies before the end: who takes over begins anew, too.
    assert lead(stage, two, 300, 0.0) is None
    assert [lead(stage, two, at, at).spared for at in (304, 304.5, 305, 305.5)] == [1, 1, 1, 0]
    assert ends(stage, tasks) == [shown(at + 8) for at in (304, 304.5, 305)]


def test_what_takes_long_is_no_absence(stage, hurried):
    one = leading.Candidate(upkeep.DUTY, "one")
    lead(stage, one, 0, 0.0)
    held = started(stage, heartbeat=5)
    tasks = [stage.enqueue(queue=1) for _ in range(3)]
    turns = [lead(stage, one, at, at) for at in (0.9, 1.8, 2.7, 3.6, 4.5)]
    assert [(turn.fired, turn.spared, turn.more) for turn in turns] == [
        (0, 0, False), (1, 0, True), (1, 0, True), (1, 0, True), (0, 0, False),
    ]  # fmt: skip
    assert {stage.seen(task).result for task in tasks} == {"timedout"}
    assert ends(stage, [held]) == [shown(7)]


def test_what_had_passed_before_the_absence_is_not_spared(stage):
    one = leading.Candidate(upkeep.DUTY, "one")
    lead(stage, one, 0, 0.0)
    task = started(stage, heartbeat=6)
    stage.database.run(f"UPDATE leaders SET beat_at = {moment(8.5)}")
    assert lead(stage, one, 100, 100.0).spared == 0
    assert stage.seen(task).state == "enqueued"


def test_one_leads_and_another_takes_over_within_ten_seconds(stage):
    one, two = (leading.Candidate(upkeep.DUTY, name) for name in ("one", "two"))
    assert lead(stage, one, 0, 0.0) is not None
    assert [lead(stage, two, s, s) for s in (0.1, 1.1, 2.1, 3.1, 4.0)] == [None] * 5
    assert lead(stage, one, 4.05, 4.05) is not None
    assert [lead(stage, two, s, s) for s in (5.1, 6.1, 9.0)] == [None] * 3
    assert lead(stage, two, 9.2, 9.2) is not None
    assert lead(stage, one, 9.3, 9.3) is None


def test_a_leader_that_goes_lets_another_lead_at_once(stage):
    one, two = (leading.Candidate(upkeep.DUTY, name) for name in ("one", "two"))
    lead(stage, one, 0, 0.0)
    assert lead(stage, two, 0.1, 0.1) is None
    one.lay_down(stage.database)
    assert lead(stage, two, 0.2, 0.2) is not None


def test_an_imported_task_has_no_timer_until_a_call_moves_it(stage):
    task = started(stage, heartbeat=5, life=20)
    stage.database.run("UPDATE tasks SET due_at = NULL, lease_until = NULL, fence = 0")
    assert stage.turn(10_000).fired == 0
    steps.give_back(stage.database, task, moment(10), None)
    assert stage.turn(20).fired == 1
    assert stage.seen(task).result == ResultCode.TIMEDOUT.value


def test_a_task_without_a_lane_gets_one(stage):
    task = stage.enqueue()
    stage.database.run("UPDATE tasks SET ready = 0, lane_id = 0, due_at = 0")
    assert stage.turn(1).promoted == 1
    assert stage.claim(2) == 1
    assert stage.seen(task).state == "assigned"


def test_turns_by_hand_fire_what_is_due_however_rarely_they_come(stage):
    task = stage.enqueue(ack=9)
    stage.claim(1)
    assert upkeep.once(stage.database, moment(0)) == upkeep.Turn()
    assert upkeep.once(stage.database, moment(9)) == upkeep.Turn()
    assert upkeep.once(stage.database, moment(3600)) == upkeep.Turn(fired=1)
    assert stage.seen(task).outcomes == ["ack"]


def test_a_turn_by_hand_after_the_server_was_away_spares_the_leases_once(stage):
    one = leading.Candidate(upkeep.DUTY, "one")
    lead(stage, one, 0, 0.0)
    started(stage, heartbeat=8)
    lead(stage, one, 5, 5.0)
    assert upkeep.once(stage.database, moment(100)).spared == 1
    assert upkeep.once(stage.database, moment(107)) == upkeep.Turn()
    assert upkeep.once(stage.database, moment(108)) == upkeep.Turn(fired=1)
    two = leading.Candidate(upkeep.DUTY, "two")
    assert lead(stage, two, 109, 0.0) is not None
