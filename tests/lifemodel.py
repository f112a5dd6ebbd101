"""The writing half in a few plain words: what a task is after any sequence of calls.

Written from the contract, not from the service: states by name, seconds as numbers, no SQL.
"""

from dataclasses import dataclass, field

E, A, S, P, C = "enqueued", "assigned", "started", "paused", "completed"
HELD = (A, S, P)
TO = {"started": {A: S, P: S}, "paused": {S: P}, "heartbeat": {A: A, S: S, P: P},
      "progress": {S: S, P: P}, "enqueued": {A: E, S: E, P: E},
      "completed": {A: C, S: C, P: C}}  # fmt: skip
SAME = {"started": S, "paused": P}
OK, VOID, NOT, GONE, NEVER = (200, None), (409, "lease_lost"), (409, "invalid_transition"), (
    404, "not_found"), (409, "not_cancellable")  # fmt: skip


def said(name, body):
    """What repeats a step: the same body, defaults included."""
    return name, {"failed": False, **body} if name == "enqueued" else body


@dataclass
class Activity:
    state: str
    sustainable: bool
    result: str | None = None


@dataclass
class Task:
    born: float
    order: tuple[int, int]
    limits: dict[str, float]
    cancellable: bool = True
    state: str = E
    result: str | None = None
    fence: int = 0
    flagged: bool = False
    deleted: bool = False
    fails: int = 0
    opens: float = 0
    queued: float = 0
    lease: float | None = None
    ran_at: float | None = None
    ran: float = 0
    grace: float | None = None
    ended: dict[int, object] = field(default_factory=dict)
    outcomes: list[str | None] = field(default_factory=list)
    activities: dict[int, Activity] = field(default_factory=dict)

    def alarms(self):
        """When each running timer fires."""
        limits, found = self.limits, {}
        if self.state == E and "queueTimeout" in limits:
            found["queue"] = max(self.queued, self.opens) + limits["queueTimeout"]
        if self.lease is not None:
            found["ack" if self.state == A else "heartbeat"] = self.lease
        if self.state == S and "execTimeout" in limits:
            found["exec"] = self.ran_at + limits["execTimeout"] - self.ran
        if self.state != C and "lifeTime" in limits:
            found["life"] = self.born + limits["lifeTime"]
        if self.state in HELD and self.grace is not None:
            found["grace"] = self.grace
        return found

    def fire(self, now):
        """Fire what is due, the earliest first."""
        while due := [(at, name) for name, at in self.alarms().items() if at <= now]:
            _, name = min(due)
            results = {"queue": "timedout", "exec": "timedout", "life": "timedout",
                       "grace": "cancelled"}  # fmt: skip
            last = self.fence >= self.limits.get("maxAssignCount", 5)
            if name in results:
                self.finish(results[name], name)
            elif last:
                self.finish("abandoned", name)
            else:
                self.give_back(now, name)

    def finish(self, result, outcome):
        if self.state in HELD:
            self.outcomes[-1] = outcome
        self.state, self.result, self.lease, self.ran_at, self.grace = C, result, None, None, None
        for one in self.activities.values():
            if one.state != C:
                one.state, one.result = C, "abandoned"

    def give_back(self, now, outcome):
        if self.flagged:
            return self.finish("cancelled", "cancelled" if outcome == "requeued" else outcome)
        self.outcomes[-1] = outcome
        self.state, self.lease, self.ran_at, self.ran, self.queued = E, None, None, 0, now
        for one in self.activities.values():
            if one.state != C and one.sustainable:
                one.state = E
            elif one.state != C:
                one.state, one.result = C, "abandoned"
        return None

    def claim(self, now):
        self.state, self.fence = A, self.fence + 1
        self.lease = now + self.limits.get("ackTimeout", 60)
        self.outcomes.append(None)

    def renew(self, now):
        if self.state in (S, P):
            self.lease = max(self.lease, now + self.limits.get("heartbeatInterval", 60))

    def step(self, name, fence, now, body):
        """Take a step with the lease of claim number `fence`; None: as an admin without one."""
        if self.deleted:
            return GONE
        if fence is not None and (self.state not in HELD or fence != self.fence):
            return OK if self.ended.get(fence, ()) == said(name, body) else VOID
        if fence is None and name == "completed" and self.state == E:
            self.finish(body["result"]["code"], None)
            return OK
        if self.state == SAME.get(name):
            self.renew(now)
            return OK
        if self.state not in TO[name]:
            return NOT
        self.go(name, fence, now, body)
        return OK

    def go(self, name, fence, now, body):
        if name in ("enqueued", "completed") and fence is not None:
            self.ended[fence] = said(name, body)
        if name == "completed":
            self.finish(body["result"]["code"], body["result"]["code"])
        elif name == "enqueued":
            self.hand_back(now, body)
        else:
            before, self.state = self.state, TO[name][self.state]
            if name == "started":
                self.lease, self.ran_at = now, now
            if name == "paused":
                self.ran, self.ran_at = self.ran + now - self.ran_at, None
            assert before != A or name in ("started", "heartbeat")
            self.renew(now)

    def hand_back(self, now, body):
        failed = body.get("failed", False)
        self.fails += failed
        self.opens = now + body["delay"] if "delay" in body else self.opens
        if failed and self.fails >= self.limits.get("maxFailCount", 5):
            self.finish("error", "failed")
        else:
            self.give_back(now, "failed" if failed else "requeued")

    def cancel(self, grace, now):
        if self.deleted:
            return GONE
        if self.flagged:
            return OK
        if self.state == C:
            return NOT
        if not self.cancellable:
            return NEVER
        self.flagged = True
        if self.state == E:
            self.finish("cancelled", None)
        else:
            self.grace = now + grace
        return OK
