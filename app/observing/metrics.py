"""What is counted, in every process for itself: requests, steps of tasks, turns of the reaper."""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from flask import Flask, Response, g, request
from prometheus_client import Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from app import clock
from app.database import Database
from app.lifecycle import Timer
from app.repository.work.standing import Standing, standing
from app.signals import Signal, lease_lost, stepped, turned
from app.standins import itself
from app.vocabulary import State

METHODS = frozenset(("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"))
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds. A claim may wait for 30."""
KINDS = 1_024
"""Routes, methods and statuses whose counters are found at once."""
TIMERS = frozenset(Timer.words())
KEPT_SECONDS = 10
"""How long counts from the database are shown again without counting anew."""
SHARE = 20
"""Counting takes at most one part in this many of the time, however large the tables are."""


class Metrics:
    """The counters of one process."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        """`registry`: where to show them; None where files show those of all processes."""

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(f"tasks_{name}", words, labels, registry=registry)

        self.requests = Histogram(
            "tasks_http_request_seconds", "Requests, and how long their answers took.",
            ("route", "method", "status"), buckets=BUCKETS, registry=registry,
        )  # fmt: skip
        self.of_request = lru_cache(maxsize=KINDS)(self.requests.labels)
        self.enqueued = counter("enqueued", "Tasks that were enqueued.")
        self.claims = counter("claimed", "Tasks that were handed to an executor.")
        self.completions = counter("completed", "Tasks that ended.", "result")
        self.requeues = counter("requeued", "Tasks that went back to the queue.", "cause")
        self.timers = counter("timers_fired", "Timers that fired.", "timer")
        self.lost = counter("leases_lost", "Calls that came with a void lease.", "step")
        self.turns = counter("reaper_turns", "Turns of the reaper.")

    def listeners(self) -> Iterator[tuple[Signal, Callable[..., None]]]:
        """What counts, and what it listens to."""
        yield stepped, self.on_step
        yield lease_lost, self.on_loss
        yield turned, self.on_turn

    def on_step(self, step: str, state: State, **facts: Any) -> None:
        """A task took a step, or a timer of its fired."""
        if step == "enqueue":
            self.enqueued.inc()
        elif step == "claim":
            self.claims.inc()
        elif state is State.COMPLETED:
            self.completions.labels(facts.get("result") or "").inc()
        elif state is State.ENQUEUED:
            self.requeues.labels(step).inc()
        if step in TIMERS:
            self.timers.labels(step).inc()

    def on_loss(self, step: str, **_: Any) -> None:
        """Somebody came with a void lease."""
        self.lost.labels(step).inc()

    def on_turn(self, **_: Any) -> None:
        """The reaper took a turn."""
        self.turns.inc()

    def on_answer(self, response: Response) -> Response:
        """A request was answered; what has no route or an odd method is counted together."""
        asked = itself(request)
        route = asked.url_rule.rule if asked.url_rule else ""
        method = asked.method if asked.method in METHODS else "other"
        taken = clock.monotonic() - g.began
        self.of_request(route, method, response.status_code).observe(taken)
        return response

    def begin(self, app: Flask) -> None:
        """Count what happens in this process, and the requests to `app`."""
        for signal, listener in self.listeners():
            signal.connect(listener)
        app.after_request(self.on_answer)


class Queues(Collector):
    """The gauges that are counted in the database when somebody looks, seldom enough."""

    def __init__(self, database: Database) -> None:
        """Nothing is counted yet."""
        self.database = database
        self.known = Standing()
        self.due = 0.0

    def collect(self) -> Iterator[Metric]:
        """The gauges. Raises Unavailable."""
        self.refresh()
        tasks = GaugeMetricFamily(
            "tasks_tasks", "Tasks by queue and state.", labels=("queue", "state")
        )
        for (queue, state), count in self.known.tasks.items():
            tasks.add_metric((queue, state.value), count)
        yield tasks
        words = "Seconds since the oldest task that can be claimed was enqueued."
        oldest = GaugeMetricFamily("tasks_oldest_claimable_seconds", words, labels=("queue",))
        for queue, seconds in self.known.waiting.items():
            oldest.add_metric((queue,), seconds)
        yield oldest

    def refresh(self) -> None:
        """Count anew when it is time. Raises Unavailable."""
        began = clock.monotonic()
        if began < self.due:
            return
        try:
            self.known = standing(self.database, clock.now())
        finally:
            self.database.release()
        took = clock.monotonic() - began
        self.due = clock.monotonic() + max(KEPT_SECONDS, SHARE * took)
