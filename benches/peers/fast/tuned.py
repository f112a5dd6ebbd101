"""The same as one writes it who has measured: columns instead of objects, orjson, known tokens."""

import time
from collections import OrderedDict
from typing import Annotated, Any, Literal

import jwt
import orjson
import words
from fast.models import ENGINE
from fastapi import Depends, FastAPI, HTTPException, Query, Response
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import bindparam, text

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")
known: OrderedDict[str, float] = OrderedDict()
"""When tokens end that were found good."""
KNOWN = 10_000
COLUMNS = """
SELECT t.id, t.uuid, y.name, t.state, t.result, q.name, t.priority, t.enqueued_at, t.assigned_at,
  t.started_at, t.updated_at, t.completed_at, t.cancellable, t.cancel_requested, u.name,
  p.policy, p.type, p.name, r.resource, r.type, r.name, o.id, o.uuid, o.locator, o.name
FROM tasks AS t
JOIN types AS y ON y.id = t.type_id JOIN queues AS q ON q.id = t.queue_id
JOIN tenants AS o ON o.id = t.tenant_id LEFT JOIN started_by_users AS u ON u.id = t.user_id
LEFT JOIN policies AS p ON p.id = t.policy_id LEFT JOIN resources AS r ON r.id = t.resource_id
WHERE t.deleted_at IS NULL {where} ORDER BY t.id {way} LIMIT :limit OFFSET :offset"""
SELECTS = {
    (named, order): text(COLUMNS.format(
        where="AND y.name = :type" if named else "", way="DESC" if order == "-id" else "ASC"
    )).bindparams(bindparam("limit"), bindparam("offset"))
    for named in (False, True) for order in ("id", "-id")
}  # fmt: skip


def admit(token: Annotated[str, Depends(bearer)]) -> None:
    """The caller may look. Raises HTTPException."""
    ends = known.get(token)
    if ends is not None and ends > time.time():
        return
    try:
        said = jwt.decode(
            token, words.KEY, algorithms=["RS256"], audience=words.ISSUER, issuer=words.ISSUER
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    if words.VIEWER not in said.get("scope", "").split():
        raise HTTPException(403)
    known[token] = said["exp"]
    if len(known) > KNOWN:
        known.popitem(last=False)


def shown(row: Any) -> dict[str, Any]:
    """A task as it is answered, without what it lacks."""
    (id_, key, type_, state, result, queue, priority, enqueued, assigned, started, updated,
     completed, cancellable, asked, user, policy, policy_type, policy_name, resource,
     resource_type, resource_name, tenant, tenant_key, locator, owner) = row  # fmt: skip
    written = words.written
    made = {
        "id": id_, "idString": str(id_), "uuid": words.uuid(key), "type": type_,
        "state": words.STATES[state], "result": result and {"code": words.RESULTS[result]},
        "queue": queue, "priority": words.PRIORITIES[priority], "enqueuedAt": written(enqueued),
        "assignedAt": written(assigned), "startedAt": written(started),
        "updatedAt": written(updated), "completedAt": written(completed),
        "cancellable": cancellable == 1, "cancelRequested": asked == 1, "startedByUser": user,
        "policy": policy and {"id": policy, "type": policy_type, "name": policy_name},
        "resource": resource and {"id": resource, "type": resource_type, "name": resource_name},
        "tenant": {"id": str(tenant), "uuid": words.uuid(tenant_key), "locator": locator,
                   "name": owner},
    }  # fmt: skip
    return {word: value for word, value in made.items() if value is not None}


@app.get("/tasks", dependencies=[Depends(admit)])
def tasks(
    type: str | None = None,
    order: Literal["id", "-id"] = "-id",
    offset: int = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """Some tasks, in an order."""
    values = {"limit": limit, "offset": offset} | ({} if type is None else {"type": type})
    with ENGINE.connect() as connection:
        rows = connection.execute(SELECTS[type is not None, order], values).all()
    body = orjson.dumps({"items": [shown(row) for row in rows]})
    return Response(body, media_type="application/json")
