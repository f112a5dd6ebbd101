"""The tables as SQLAlchemy's tutorial declares them; types of columns write their own values."""

from typing import Any

import words
from sqlalchemy import BigInteger, Dialect, ForeignKey, LargeBinary, SmallInteger, create_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlalchemy.types import TypeDecorator

ENGINE = create_engine(
    words.URL.replace("mysql://", "mysql+mysqldb://", 1)
    + ("" if words.URL.startswith("sqlite") else "?charset=utf8mb4")
)


class Word(TypeDecorator[str]):
    """A word that is kept as its number."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, spoken: tuple[str | None, ...]) -> None:
        super().__init__()
        self.spoken = spoken

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        return None if value is None else self.spoken[value]


class Moment(TypeDecorator[str]):
    """A time that is kept in nanoseconds."""

    impl = BigInteger
    cache_ok = True

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        return words.written(value)


class Uuid(TypeDecorator[str]):
    """A UUID that is kept as bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> str | None:
        return None if value is None else words.uuid(value)


class Base(DeclarativeBase):
    """All tables."""


class Type(Base):
    """A type of tasks."""

    __tablename__ = "types"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Queue(Base):
    """A queue."""

    __tablename__ = "queues"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class User(Base):
    """Who started a task."""

    __tablename__ = "started_by_users"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Policy(Base):
    """A policy; its key in the table is not its id."""

    __tablename__ = "policies"
    key: Mapped[int] = mapped_column("id", primary_key=True)
    id: Mapped[str | None] = mapped_column("policy")
    type: Mapped[str | None]
    name: Mapped[str | None]


class Resource(Base):
    """A resource; its key in the table is not its id."""

    __tablename__ = "resources"
    key: Mapped[int] = mapped_column("id", primary_key=True)
    id: Mapped[str | None] = mapped_column("resource")
    type: Mapped[str | None]
    name: Mapped[str | None]


class Tenant(Base):
    """A tenant."""

    __tablename__ = "tenants"
    id: Mapped[int] = mapped_column(primary_key=True)
    uuid: Mapped[Any] = mapped_column(Uuid)
    locator: Mapped[str]
    name: Mapped[str | None]


class Task(Base):
    """A task."""

    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    uuid: Mapped[Any] = mapped_column(Uuid)
    type_id: Mapped[int] = mapped_column(ForeignKey("types.id"))
    queue_id: Mapped[int] = mapped_column(ForeignKey("queues.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("started_by_users.id"))
    policy_id: Mapped[int | None] = mapped_column(ForeignKey("policies.id"))
    resource_id: Mapped[int | None] = mapped_column(ForeignKey("resources.id"))
    tenant_id: Mapped[int] = mapped_column(ForeignKey("tenants.id"))
    state: Mapped[Any] = mapped_column(Word(words.STATES))
    result: Mapped[Any] = mapped_column(Word(words.RESULTS))
    priority: Mapped[Any] = mapped_column(Word(words.PRIORITIES))
    cancellable: Mapped[bool]
    cancel_requested: Mapped[bool]
    enqueued_at: Mapped[Any] = mapped_column(Moment)
    assigned_at: Mapped[Any] = mapped_column(Moment)
    started_at: Mapped[Any] = mapped_column(Moment)
    updated_at: Mapped[Any] = mapped_column(Moment)
    completed_at: Mapped[Any] = mapped_column(Moment)
    deleted_at: Mapped[Any] = mapped_column(Moment)
    type: Mapped[Type] = relationship()
    queue: Mapped[Queue] = relationship()
    user: Mapped[User | None] = relationship()
    policy: Mapped[Policy | None] = relationship()
    resource: Mapped[Resource | None] = relationship()
    tenant: Mapped[Tenant] = relationship()
