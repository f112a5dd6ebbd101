"""Making activities and leading them through their steps, under the lease of their task."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response

from app import clock
from app.api import forms, orders
from app.api.answers import as_json
from app.api.asking import (
    ANSWER,
    SCOPES,
    AskingBlueprint,
    check,
    documented,
    lease,
    lease_parameter,
    number_of,
)
from app.api.blueprint import BASE
from app.api.context import database
from app.api.objects import item_of
from app.api.writing import beating, fence_of, shown, words_of
from app.auth.protector import requires
from app.catalog.activities import ACTIVITIES
from app.catalog.tasks import TASKS
from app.lifecycle import ACTIVITY_STEP, Who
from app.repository.lists.query import Query
from app.repository.work import activity_making, activity_steps
from app.repository.work.activity_steps import Lease
from app.transitions import Facts
from app.vocabulary import Scope

blp = AskingBlueprint("moving", __name__, url_prefix=f"{BASE}/activities")
Act = Callable[..., Facts]


def activity_step(
    name: str, body: Any, answer: str = "activity"
) -> Callable[[Act], Callable[..., Response]]:
    """Hang a view on the route of a step; it gets number, lease and body and takes the step.

    `answer`: "activity", or "lease" for what only keeps the lease alive.
    """
    step = ACTIVITY_STEP[name]
    told = item_of(ACTIVITIES) if answer == "activity" else forms.BEAT

    def decorate(view: Act) -> Callable[..., Response]:
        @blp.route(f"/<activity_id>/{name}", methods=["PUT"], tags=["activities"])
        @requires(*SCOPES[step.who])
        @blp.arguments(body, location="json", required=False)
        @blp.arguments(ANSWER, location="query")
        @blp.response(200, told, description=words_of(step))
        @blp.alt_response(404, description="The activity does not exist.")
        @blp.alt_response(409, description="Its state does not allow it, or the lease is void.")
        @blp.alt_response(413, description="The body is too large.")
        @blp.alt_response(415, description="The body is not JSON.")
        @documented(lease_parameter(step.who))
        @wraps(view)
        def taken(content: Any, query: Query, activity_id: str) -> Response:
            proven = lease()
            check()
            number = number_of(ACTIVITIES, activity_id)
            facts = view(number, proven, content)
            if answer == "lease":
                return as_json(beating(facts))
            return as_json(shown(ACTIVITIES, number, query))

        return taken  # type: ignore[no-any-return]

    return decorate


@blp.route("", methods=["POST"], tags=["activities"])
@requires(Scope.CONSUMER, Scope.ADMIN)
@blp.arguments(forms.ACTIVITY, location="json")
@blp.arguments(ANSWER, location="query")
@blp.response(201, item_of(ACTIVITIES), headers=forms.LOCATION)
@blp.alt_response(200, schema=item_of(ACTIVITIES), description="It was made before.")
@blp.alt_response(404, description="The task does not exist.")
@blp.alt_response(409, description="The lease is void, or the UUID is taken.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
@documented(lease_parameter(Who.HOLDER))
def make_activity(content: Any, query: Query) -> Response:
    """Make an activity of a task that the caller holds."""
    proven = lease()
    check()
    draft = orders.draft(content)
    number_of(TASKS, str(draft.task))
    fence = fence_of(proven, draft.task)
    made = activity_making.make(database(), draft, fence, clock.now())
    where = {"Location": f"{BASE}/activities/{made.id}"}
    return as_json(shown(ACTIVITIES, made.id, query), 201 if made.fresh else 200, where)


@activity_step("assigned", forms.ASSIGNMENT)
def assign_activity(activity: int, lease: Lease, content: Any) -> Facts:
    """Say who is to carry it out."""
    agent = orders.agent(content["executor"])
    return activity_steps.assign(database(), activity, clock.now(), lease, agent or ("", ""))


@activity_step("enqueued", forms.NOTHING)
def return_activity(activity: int, lease: Lease, _: Any) -> Facts:
    """Say that nobody is to carry it out any more."""
    return activity_steps.put_back(database(), activity, clock.now(), lease)


@activity_step("started", forms.NOTHING)
def start_activity(activity: int, lease: Lease, _: Any) -> Facts:
    """Say that its work has begun, or goes on."""
    return activity_steps.start(database(), activity, clock.now(), lease)


@activity_step("paused", forms.NOTHING)
def pause_activity(activity: int, lease: Lease, _: Any) -> Facts:
    """Say that its work stands still."""
    return activity_steps.pause(database(), activity, clock.now(), lease)


@activity_step("progress", forms.PROGRESS, "lease")
def report_on_activity(activity: int, lease: Lease, content: Any) -> Facts:
    """Say how far it is."""
    return activity_steps.report(database(), activity, clock.now(), lease, content)


@activity_step("completed", forms.COMPLETION)
def complete_activity(activity: int, lease: Lease, content: Any) -> Facts:
    """Say how it ended."""
    code, parts = content["result"]["code"], orders.parts(content)
    return activity_steps.complete(database(), activity, clock.now(), lease, code, parts)
