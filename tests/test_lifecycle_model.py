"""Any sequence of calls, timers and restarts: the service and the model stay of one mind."""

import os

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from lifemodel import HELD, OK, Activity, C, E, Task
from writers import SECOND, Writer

from app import clock
from app.repository.timers import upkeep

BEGIN = 1_790_000_000 * SECOND
LIMITS = {
    "queueTimeout": [9.5], "ackTimeout": [3.4, 30.4], "heartbeatInterval": [4.3, 20.3],
    "execTimeout": [8.2], "lifeTime": [25.1], "maxAssignCount": [1, 2], "maxFailCount": [1, 2],
}  # fmt: skip
"""Fractions of their own, so that no two timers ever fire at the same moment."""
PRIORITIES = ["low", "normal", "high"]
RESULTS = ["ok", "error", "cancelled"]
EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "12"))
PATIENT = {"deadline": None, "suppress_health_check": list(HealthCheck), "derandomize": True,
           "phases": [Phase.generate]}  # fmt: skip
limits = st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in LIMITS.items()})
returns = st.fixed_dictionaries(
    {}, optional={"failed": st.booleans(), "delay": st.sampled_from([0.7, 5.7])}
)


class Life(RuleBasedStateMachine):
    """One database, two executors, an issuer, an admin, and a clock that only moves when told."""

    writer: Writer

    @initialize(several=st.lists(limits, min_size=2, max_size=3), started=st.booleans(),
                again=st.booleans())  # fmt: skip
    def begin(self, several, started, again):
        self.writer.database.run("DELETE FROM tasks")
        self.now, self.tasks, self.leases = 0, {}, {}
        clock.now = lambda: BEGIN + self.now * SECOND
        for some in several:
            self.enqueue_one(some, "normal", True, 0)
        self.claim_some(2, "a")
        for key, task in list(self.tasks.items()) if again else ():
            # Old leases are there from the beginning.
            if task.fence:
                self.take(key, 1, "enqueued", {"reason": "again"})
        self.claim_some(2, "b")
        for key, task in self.tasks.items():
            if task.fence and started and task.state == "assigned":
                self.take(key, task.fence, "started", {})

    def call(self, *asked, **options):
        answer = self.writer.call(*asked, **options)
        code = None if answer.status_code < 300 else answer.json["code"]
        return answer, (200 if code is None else answer.status_code, code)

    def some(self, data, *states):
        keys = [key for key, task in self.tasks.items() if not states or task.state in states]
        return data.draw(st.sampled_from(keys)) if keys else None

    @rule(limits=limits, priority=st.sampled_from(PRIORITIES), cancellable=st.booleans(),
          delay=st.sampled_from([0, 0, 6.7]))  # fmt: skip
    def enqueue(self, limits, priority, cancellable, delay):
        self.enqueue_one(limits, priority, cancellable, delay)

    def enqueue_one(self, limits, priority, cancellable, delay):
        opens = {"notBefore": f"{BEGIN + round((self.now + delay) * SECOND)}ns"} if delay else {}
        body = {"type": "t", "priority": priority, "cancellable": cancellable, **limits, **opens}
        answer, _ = self.call("POST", "tasks", body)
        number = answer.json["id"]
        order = (-PRIORITIES.index(priority), number)
        opens = self.now + delay if delay else 0
        task = Task(self.now, order, limits, cancellable, opens=opens, queued=self.now)
        self.tasks[number] = task

    @precondition(lambda self: any(task.state == E for task in self.tasks.values()))
    @rule(limit=st.integers(1, 2), agent=st.sampled_from(["a", "b"]))
    def claim(self, limit, agent):
        self.claim_some(limit, agent)

    def claim_some(self, limit, agent):
        asked = {"executor": {"id": agent}, "limit": limit}
        answer, told = self.call("POST", "tasks/claim", asked)
        ready = [(task.order, key) for key, task in self.tasks.items()
                 if task.state == E and task.opens <= self.now]  # fmt: skip
        expected = [key for _, key in sorted(ready)[:limit]]
        assert (told, [item["id"] for item in answer.json["items"]]) == (OK, expected)
        for item in answer.json["items"]:
            task = self.tasks[item["id"]]
            task.claim(self.now)
            self.leases[item["id"], task.fence] = item["lease"]["token"]

    def stepped(self, data, name, body):
        key = self.some(data)
        if key is None:
            return
        task = self.tasks[key]
        fences = list(range(1, task.fence + 1)) * 2 + [task.fence] * 5
        admin = [None] if name in ("enqueued", "completed") else []
        if not (fences and task.fence) and not admin:
            return
        self.take(key, data.draw(st.sampled_from([f for f in fences if f] + admin)), name, body)

    def take(self, key, fence, name, body):
        task = self.tasks[key]
        lease = None if fence is None else self.leases[key, fence]
        expected = task.step(name, fence, self.now, body)
        answer, told = self.call("PUT", f"tasks/{key}/{name}", body, lease)
        assert told == expected, (name, task, answer.text)

    @rule(data=st.data(), name=st.sampled_from(["started", "started", "heartbeat", "paused"]))
    def step(self, data, name):
        self.stepped(data, name, {})

    @rule(data=st.data(), current=st.integers(0, 2))
    def progress(self, data, current):
        self.stepped(data, "progress", {"progress": {"current": current}})

    @rule(data=st.data(), body=returns)
    def give_back(self, data, body):
        self.stepped(data, "enqueued", body)

    @rule(data=st.data(), code=st.sampled_from(RESULTS))
    def complete(self, data, code):
        self.stepped(data, "completed", {"result": {"code": code}})

    @rule(data=st.data(), grace=st.sampled_from([2.6, 40.6]))
    def cancel(self, data, grace):
        if key := self.some(data):
            expected = self.tasks[key].cancel(grace, self.now)
            answer, told = self.call("PUT", f"tasks/{key}/cancelRequested", {"grace": grace})
            assert told == expected, answer.text

    @rule(data=st.data())
    def delete(self, data):
        if key := self.some(data):
            task = self.tasks[key]
            if task.deleted:
                _answer, told = self.call("PUT", f"tasks/{key}/restored")
                assert told == OK
            else:
                _, told = self.call("DELETE", f"tasks/{key}")
                assert told == (OK if task.state == C else (409, "not_completed"))
            task.deleted = task.state == C and not task.deleted

    @rule(data=st.data(), state=st.sampled_from(["enqueued", "assigned", "started"]),
          sustainable=st.booleans())  # fmt: skip
    def make_activity(self, data, state, sustainable):
        if key := self.some(data, *HELD):
            task = self.tasks[key]
            body = {"taskId": key, "type": "a", "state": state, "sustainable": sustainable}
            answer, told = self.call("POST", "activities", body, self.leases[key, task.fence])
            assert told == OK, answer.text
            task.renew(self.now)
            task.activities[answer.json["id"]] = Activity(state, sustainable)

    @rule(data=st.data(), name=st.sampled_from(["started", "completed"]))
    def move_activity(self, data, name):
        key = self.some(data, *HELD)
        if key is None or not self.tasks[key].activities:
            return
        task = self.tasks[key]
        number = data.draw(st.sampled_from(list(task.activities)))
        body = {"result": {"code": "ok"}} if name == "completed" else None
        path, lease = f"activities/{number}/{name}", self.leases[key, task.fence]
        answer, told = self.call("PUT", path, body, lease)
        one = task.activities[number]
        refused = one.state == C and (name == "started" or one.result != "ok")
        assert told == ((409, "invalid_transition") if refused else OK), answer.text
        if not refused:
            task.renew(self.now)
            one.state = "completed" if name == "completed" else "started"
            one.result = "ok" if name == "completed" else None

    @rule(seconds=st.sampled_from([1, 1, 2, 3, 7, 30]))
    def pass_time(self, seconds):
        self.now += seconds

    @rule()
    def reap(self):
        while any(upkeep.turn(self.writer.database, clock.now()).__dict__.values()):
            pass
        for task in self.tasks.values():
            task.fire(self.now)

    @precondition(lambda self: self.tasks)
    @rule()
    def restart(self):
        self.writer.database.close()
        self.writer.database.memory.clear()

    @precondition(lambda self: self.tasks)
    @rule()
    def compare(self):
        for key, task in self.tasks.items():
            self.agree(self.writer.task(key), task)

    def agree(self, seen, task):
        told = (seen["state"], seen.get("result", {}).get("code"), seen["failCount"],
                seen["assignCount"], seen["cancelRequested"], "deletedAt" in seen)  # fmt: skip
        assert told == (task.state, task.result, task.fails, task.fence, task.flagged,
                        task.deleted), seen  # fmt: skip
        assert [attempt.get("outcome") for attempt in seen["attempts"]] == task.outcomes
        assert ("lease" in seen) == (task.state in HELD)
        if "lease" in seen:
            nanoseconds = BEGIN + round(task.lease * SECOND)
            from app.catalog.times import written

            assert seen["lease"]["expiresAt"] == written(nanoseconds)
        times = [seen[name] for name in ("enqueuedAt", "assignedAt", "startedAt", "completedAt",
                                         "updatedAt") if name in seen]  # fmt: skip
        assert times == sorted(times)
        for number, one in task.activities.items():
            path = f"activities/{number}?allow_deleted=true"
            found = self.call("GET", path)[0].json
            assert (found["state"], found.get("result", {}).get("code")) == (one.state, one.result)

    def teardown(self):
        if getattr(self, "tasks", None):
            self.reap()
            self.compare()


@pytest.fixture
def writer(engine, tmp_path, monkeypatch):
    # The clock is the test's; afterwards it is the machine's again.
    monkeypatch.setattr(clock, "now", lambda: BEGIN)
    made = Writer(engine, tmp_path, TASKS_TOKEN_SECONDS="86400")
    yield made
    made.close()


def test_the_service_and_the_model_agree(writer):
    class Ours(Life):
        pass

    Ours.writer = writer
    Ours.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, **PATIENT)
    Ours.TestCase().runTest()
