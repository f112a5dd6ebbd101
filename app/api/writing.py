"""Enqueueing tasks and leading them through their steps.

A route per step, made from the step's row: who may take it, where it leads, how it is refused.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

from flask import Response, g

from app import clock
from app.api import forms, orders
from app.api.answers import as_json
from app.api.asking import (
    ANSWER,
    SCOPES,
    SILENT,
    TINY_ANSWER,
    AskingBlueprint,
    check,
    collect,
    documented,
    exempt,
    lease,
    lease_parameter,
    no_body,
    number_of,
    sight_of,
    task_of,
)
from app.api.blueprint import BASE
from app.api.context import caller, database
from app.api.objects import item_of
from app.auth.protector import requires
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.catalog.times import written
from app.errors import UuidConflict
from app.lifecycle import TASK_STEP, Step, Who
from app.repository.lists import lookups, projection
from app.repository.lists.query import Query
from app.repository.tenants import Node
from app.repository.work import enqueueing, identifying, steps
from app.repository.work.activity_steps import Lease
from app.repository.work.enqueueing import Enqueued
from app.repository.work.identifying import Sight
from app.transitions import Facts
from app.vocabulary import Lod, Scope

blp = AskingBlueprint("writing", __name__, url_prefix=f"{BASE}/tasks")
Act = Callable[..., Facts]
Bringing = Callable[[Any], Mapping[str, Any]]


def shown(catalog: Catalog, number: int, query: Query, default: Lod = Lod.FULL) -> Any:
    """The object with this number, as the answer to a call that wrote it."""
    lod = query.lod or default
    return projection.objects(database(), catalog, lod, [number])[number]


def stepped(seen: Sight, facts: Facts, brought: Mapping[str, Any], query: Query) -> Any:
    """The task `seen` before a step and left with `facts` by it, as the step's answer.

    `brought`: columns of the details that the step wrote, if it was taken now.
    """
    lod = query.lod or Lod.FULL
    if lod is Lod.DEBUG or facts.revision != seen.facts.revision:
        # Attempts and revisions are read; and so is all where somebody else was faster.
        return shown(TASKS, facts.id, query)
    wrote = brought if facts.state != seen.facts.state else {}
    return identifying.changed(database(), lod, seen, facts, wrote)


def fence_of(proven: Lease | None, task: int) -> int | None:
    """The fence that a lease proves for `task`; one of another task proves none that there is."""
    if proven is None:
        return None
    return proven.fence if proven.task == task else -1


def owners(bodies: Sequence[Any], bulk: bool = False) -> list[Node]:
    """The tenant of each of `bodies`. Raises BadRequest with all the faults of the request."""
    found = collect(lambda: orders.owners(database(), caller(), bodies, bulk))
    check()
    return found or []


def enqueued(bodies: Sequence[Any], nodes: Sequence[Node], lod: Lod) -> list[tuple[Enqueued, Any]]:
    """The tasks that `bodies` ask for, each in its tenant, and as it is shown at `lod`."""
    asked = [orders.order(*pair) for pair in zip(bodies, nodes, strict=True)]
    done = enqueueing.enqueue(database(), asked, clock.now())
    known = [one.id for one in done if one.born is None]
    found = projection.objects(database(), TASKS, lod, known) if known else {}
    # The caller's own tenant was read a while ago, and may have another name by now.
    owned = {node.id: lookups.shown(node) for node in nodes if node is not caller().tenant}
    born = [one.born for one in done if one.born is not None]
    found |= {item["id"]: item for item in projection.newborn(database(), lod, born, owned)}
    return [(one, found[one.id]) for one in done]


def items_as_they_came() -> Sequence[Any]:
    """The items of a bulk that is faulty, where it has them, and not too many."""
    items = g.get("asked", {}).get("items")
    return items if isinstance(items, list) and len(items) <= forms.BULK else []


def beating(facts: Facts) -> dict[str, Any]:
    """What an executor is told that has shown itself alive."""
    until = facts.lease_until
    lease = {} if until is None else {"lease": {"expiresAt": written(until)}}
    return {**lease, "cancelRequested": facts.cancel_requested == 1}


def words_of(step: Step) -> str:
    """What the document says of a step."""
    states = ", ".join(state.value for state in step.sources)
    repeat = " Repeating it changes nothing." if step.repeats or step.ends else ""
    return f"{step.effect} Taken by {step.who.value}, from: {states}.{repeat}"


def task_step(
    name: str, body: Any, answer: str = "task", brings: Bringing = lambda _: {}
) -> Callable[[Act], Callable[..., Response]]:
    """Hang a view on the route of a step; it gets the task, fence and body and takes the step.

    `answer`: "task", or "lease" for what only keeps a lease alive; `brings`: the columns of the
    details that the step writes for a body.
    """
    step = TASK_STEP[name]
    leased = step.who is not Who.ISSUER
    told = item_of(TASKS) if answer == "task" else forms.BEAT

    def decorate(view: Act) -> Callable[..., Response]:
        @blp.route(f"/<task_id>/{name}", methods=["PUT"], tags=["tasks"])
        @requires(*SCOPES[step.who])
        @blp.arguments(body, location="json", required=False)
        @blp.arguments(ANSWER, location="query")
        @blp.response(200, told, description=words_of(step))
        @blp.alt_response(404, description="The task does not exist.")
        @blp.alt_response(409, description="Its state does not allow it, or the lease is void.")
        @blp.alt_response(413, description="The body is too large.")
        @blp.alt_response(415, description="The body is not JSON.")
        @documented(*([lease_parameter(step.who)] if leased else []))
        @wraps(view)
        def taken(content: Any, query: Query, task_id: str) -> Response:
            proven = lease(not exempt() or step.who is Who.HOLDER) if leased else None
            check()
            if answer == "lease":
                task = task_of(task_id)
                return as_json(beating(view(task, fence_of(proven, task.id), content)))
            seen = sight_of(task_id)
            facts = view(seen.facts, fence_of(proven, seen.facts.id), content)
            return as_json(stepped(seen, facts, brings(content), query))

        return taken  # type: ignore[no-any-return]

    return decorate


@blp.route("", methods=["POST"], tags=["tasks"])
@requires(Scope.ISSUER, Scope.ADMIN)
@blp.arguments(forms.TASK, location="json")
@blp.arguments(ANSWER, location="query")
@blp.response(201, item_of(TASKS), headers=forms.LOCATION)
@blp.alt_response(200, schema=item_of(TASKS), description="It was enqueued before.")
@blp.alt_response(409, description="The UUID belongs to another task already.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
def enqueue_task(content: Any, query: Query) -> Response:
    """Enqueue a task."""
    nodes = owners([g.get("asked")] if content is None else [content])
    [(made, item)] = enqueued([content], nodes, query.lod or Lod.FULL)
    where = {"Location": f"{BASE}/tasks/{made.id}"}
    return as_json(item, 201 if made.fresh else 200, where)


@blp.route("/bulk", methods=["POST"], tags=["tasks"])
@requires(Scope.ISSUER, Scope.ADMIN)
@blp.arguments(forms.TASKS, location="json")
@blp.arguments(TINY_ANSWER, location="query")
@blp.response(201, forms.ITEMS)
@blp.alt_response(200, schema=forms.ITEMS, description="All of them were enqueued before.")
@blp.alt_response(409, description="UUIDs belong to other tasks already.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
def enqueue_tasks(content: Any, query: Query) -> Response:
    """Enqueue many tasks, all or none."""
    nodes = owners(items_as_they_came() if content is None else content["items"], bulk=True)
    try:
        done = enqueued(content["items"], nodes, query.lod or Lod.TINY)
    except UuidConflict as taken:
        raise taken.of_bulk() from None
    items = [item for _, item in done]
    return as_json({"items": items}, 201 if any(one.fresh for one, _ in done) else 200)


@task_step("started", forms.NOTHING)
def start_task(task: Facts, fence: int, _: Any) -> Facts:
    """Say that the work has begun, or goes on."""
    return steps.start(database(), task, clock.now(), fence)


@task_step("heartbeat", forms.NOTHING, "lease")
def beat_for_task(task: Facts, fence: int, _: Any) -> Facts:
    """Say that the executor is alive, and learn whether to stop."""
    return steps.beat(database(), task, clock.now(), fence)


@task_step("progress", forms.PROGRESS, "lease")
def report_on_task(task: Facts, fence: int, content: Any) -> Facts:
    """Say how far the work is."""
    progress, context = content["progress"], content.get("context")
    return steps.report(database(), task, clock.now(), fence, progress, context)


@task_step("paused", forms.NOTHING)
def pause_task(task: Facts, fence: int, _: Any) -> Facts:
    """Say that the work stands still."""
    return steps.pause(database(), task, clock.now(), fence)


@task_step("enqueued", forms.RETURN)
def return_task(task: Facts, fence: int | None, content: Any) -> Facts:
    """Hand the task back to the queue."""
    digest = orders.step_digest("enqueued", content)
    return steps.give_back(database(), task, clock.now(), fence, digest, **content)


@task_step("completed", forms.COMPLETION, brings=orders.parts)
def complete_task(task: Facts, fence: int | None, content: Any) -> Facts:
    """Say how the work ended."""
    code, parts = content["result"]["code"], orders.parts(content)
    digest = orders.step_digest("completed", content)
    return steps.complete(database(), task, clock.now(), fence, code, parts, digest)


@task_step("cancelRequested", forms.CANCEL)
def cancel_task(task: Facts, _: int | None, content: Any) -> Facts:
    """Ask for the task to be cancelled."""
    return steps.request_cancel(database(), task, clock.now(), content["grace"])


@blp.route("/<task_id>", methods=["DELETE"], tags=["tasks"])
@requires(Scope.ISSUER, Scope.ADMIN)
@blp.arguments(SILENT, location="query")
@blp.response(204)
@blp.alt_response(404, description="The task does not exist.")
@blp.alt_response(409, description="The task is not completed.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
def delete_task(_: Query, task_id: str) -> Response:
    """Delete a completed task and its activities; they can be restored."""
    no_body()
    check()
    steps.delete(database(), number_of(TASKS, task_id), clock.now())
    answer = Response(status=204)
    del answer.headers["Content-Type"]  # there is none
    return answer


@blp.route("/<task_id>/restored", methods=["PUT"], tags=["tasks"])
@requires(Scope.ISSUER, Scope.ADMIN)
@blp.arguments(forms.NOTHING, location="json", required=False)
@blp.arguments(ANSWER, location="query")
@blp.response(200, item_of(TASKS))
@blp.alt_response(404, description="The task does not exist.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
def restore_task(_: Any, query: Query, task_id: str) -> Response:
    """Restore a deleted task and the activities that were deleted with it."""
    check()
    number = number_of(TASKS, task_id, allow_deleted=True)
    steps.restore(database(), number, clock.now())
    return as_json(shown(TASKS, number, query))
