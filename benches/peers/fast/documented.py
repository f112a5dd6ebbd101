"""As the tutorials of FastAPI and SQLAlchemy write it: models, eager joins, a response model."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import jwt
import words
from fast.models import ENGINE, Task, Type
from fastapi import Depends, FastAPI, HTTPException, Query, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel
from sqlalchemy import select
from sqlalchemy.orm import Session, contains_eager, joinedload

app = FastAPI()
bearer = OAuth2PasswordBearer(tokenUrl="token")


class Answer(BaseModel):
    """Read from objects, written in camel case."""

    model_config = ConfigDict(from_attributes=True, alias_generator=to_camel, populate_by_name=True)


class Result(Answer):
    """How a task ended."""

    code: str


class Named(Answer):
    """A policy or a resource."""

    id: str | None
    type: str | None
    name: str | None


class Owner(Answer):
    """A tenant."""

    id: str
    uuid: str
    locator: str
    name: str | None


class Item(Answer):
    """A task."""

    id: int
    id_string: str
    uuid: str
    type: str
    state: str
    result: Result | None
    queue: str
    priority: str
    enqueued_at: str | None
    assigned_at: str | None
    started_at: str | None
    updated_at: str | None
    completed_at: str | None
    cancellable: bool
    cancel_requested: bool
    started_by_user: str | None
    policy: Named | None
    resource: Named | None
    tenant: Owner


class Page(Answer):
    """Some tasks."""

    items: list[Item]


def shown(task: Task) -> Item:
    """A task as it is answered."""
    tenant = task.tenant
    return Item(
        id=task.id, id_string=str(task.id), uuid=task.uuid, type=task.type.name, state=task.state,
        result=Result(code=task.result) if task.result else None, queue=task.queue.name,
        priority=task.priority, enqueued_at=task.enqueued_at, assigned_at=task.assigned_at,
        started_at=task.started_at, updated_at=task.updated_at, completed_at=task.completed_at,
        cancellable=task.cancellable, cancel_requested=task.cancel_requested,
        started_by_user=task.user.name if task.user else None,
        policy=Named.model_validate(task.policy) if task.policy else None,
        resource=Named.model_validate(task.resource) if task.resource else None,
        tenant=Owner(
            id=str(tenant.id), uuid=tenant.uuid, locator=tenant.locator, name=tenant.name
        ),
    )  # fmt: skip


def session() -> Iterator[Session]:
    """A session of the request."""
    with Session(ENGINE) as made:
        yield made


def caller(needed: SecurityScopes, token: Annotated[str, Depends(bearer)]) -> dict[str, Any]:
    """What the caller's token says."""
    try:
        said: dict[str, Any] = jwt.decode(
            token, words.KEY, algorithms=["RS256"], audience=words.ISSUER, issuer=words.ISSUER
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"}) from None
    if not set(needed.scopes) <= set(said.get("scope", "").split()):
        raise HTTPException(403)
    return said


@app.get("/tasks", response_model=Page, response_model_exclude_none=True)
def tasks(
    session: Annotated[Session, Depends(session)],
    caller: Annotated[dict[str, Any], Security(caller, scopes=[words.VIEWER])],
    type: str | None = None,
    order: Literal["id", "-id"] = "-id",
    offset: int = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Any:
    """Some tasks, in an order."""
    query = select(Task).join(Task.type).where(Task.deleted_at.is_(None)).options(
        contains_eager(Task.type), joinedload(Task.queue), joinedload(Task.user),
        joinedload(Task.policy), joinedload(Task.resource), joinedload(Task.tenant),
    )  # fmt: skip
    if type is not None:
        query = query.where(Type.name == type)
    query = query.order_by(Task.id.desc() if order == "-id" else Task.id)
    found = session.scalars(query.offset(offset).limit(limit))
    return Page(items=[shown(task) for task in found])
