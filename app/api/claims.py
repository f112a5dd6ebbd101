"""Claiming: an executor asks for work, at once or waiting for it."""

import re
from hashlib import sha256
from typing import Any

from flask import Response, current_app, g, request

from app import clock
from app.api import forms, orders
from app.api.answers import as_json
from app.api.asking import ANSWER, SCOPES, AskingBlueprint, check, documented
from app.api.blueprint import BASE
from app.api.context import caller, database, purpose_key
from app.api.waiting import SECOND, Room, Waiter, room_of
from app.auth import leases
from app.auth.protector import requires
from app.canonical import digest
from app.catalog.tasks import TASKS
from app.catalog.times import written
from app.errors import Fault
from app.lifecycle import TASK_STEP
from app.repository.lists import projection
from app.repository.lists.query import Query
from app.repository.work import claiming
from app.repository.work.idempotency import Held, Key
from app.repository.work.wishes import Wish
from app.vocabulary import Lod

blp = AskingBlueprint("claims", __name__, url_prefix=f"{BASE}/tasks")
HEADER = "Idempotency-Key"
VISIBLE = re.compile(r"[!-~]{1,128}")
PARAMETER = {
    "in": "header",
    "name": HEADER,
    "required": False,
    "schema": {"type": "string", "pattern": f"^{VISIBLE.pattern}$"},
    "description": "The same key with the same body gets the same tasks again while their leases "
    "live, so that a lost answer strands nothing; once none lives it gets nothing: for other tasks "
    "take another key. Keys are the caller's own (client, user, tenant) and kept for a day.",
}


def key_of(content: Any) -> Key | None:
    """The caller's key, if it sent one; a malformed one is a fault: see `check`."""
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not VISIBLE.fullmatch(given):
        words = f"the header '{HEADER}' takes 1 to 128 visible ASCII characters"
        g.setdefault("faults", []).append(Fault(HEADER, given, words))
        return None
    # One client acts in several subtrees and, the public one, for any user: none of them is handed
    # what another one got.
    whose = caller()
    named = "\0".join((whose.client_id, whose.subject, whose.tenant.locator, given))
    return Key(sha256(named.encode()).digest(), digest(content))


def wish_of(content: Any) -> Wish:
    """What the body asks for, within the caller's subtree."""
    queues, types = content.get("queues"), content.get("types")
    return Wish(
        orders.agent(content["executor"]) or ("", ""),
        caller().tenant,
        None if queues is None else tuple(queues),
        None if types is None else tuple(types),
    )


def look(room: Room, wish: Wish, limit: int, key: Key | None) -> list[Held]:
    """What there is for `wish` now."""
    with room.turn():
        return claiming.claim(database(), wish, limit, clock.now(), key)


def claimed(wish: Wish, limit: int, wait: int, key: Key | None) -> list[Held]:
    """What there is for `wish`, now or within `wait` nanoseconds."""
    room, deadline = room_of(current_app), clock.monotonic() + wait / SECOND
    held = look(room, wish, limit, key)
    waiter = None if held or not wait else room.enter(wish, key)
    if waiter is not None:
        try:
            held = awaited(room, waiter, deadline, limit)
        finally:
            room.leave(waiter)
    if held and key is not None:
        room.answered(key)
    return held


def awaited(room: Room, waiter: Waiter, deadline: float, limit: int) -> list[Held]:
    """What comes for a caller who has taken a seat; nothing when the server is about to stop.

    The first look is for what came just before; the last one, at `deadline`, for what the same key
    got from another process meanwhile.
    """
    held: list[Held] = []
    waiting = True
    while not room.closed:
        held = look(room, waiter.wish, limit, waiter.key)
        if held or not waiting:
            break
        database().rest()
        waiting = room.wait(waiter, deadline)
    return held


def handed(held: list[Held], lod: Lod) -> list[Any]:
    """The tasks that were claimed, each with the token of its lease."""
    found = projection.objects(database(), TASKS, lod, [one.id for one in held])
    key = purpose_key(leases.PURPOSE)
    for one in held:
        token = {"token": leases.issue(one.id, one.fence, key), "expiresAt": written(one.until)}
        found[one.id]["lease"] = {**found[one.id].get("lease", {}), **token}
    return [found[one.id] for one in held]


@blp.route("/claim", methods=["POST"], tags=["tasks"])
@requires(*SCOPES[TASK_STEP["claim"].who])
@blp.arguments(forms.CLAIM, location="json")
@blp.arguments(ANSWER, location="query")
@blp.response(200, forms.CLAIMED_ANSWER)
@blp.alt_response(409, description="The Idempotency-Key was used with another body.")
@blp.alt_response(413, description="The body is too large.")
@blp.alt_response(415, description="The body is not JSON.")
@documented(PARAMETER)
def claim_tasks(content: Any, query: Query) -> Response:
    """Claim the most urgent tasks, waiting for one when there is none."""
    key = key_of(content)
    check()
    held = claimed(wish_of(content), content["limit"], content["wait"], key)
    return as_json({"items": handed(held, query.lod or Lod.FULL)})
