"""The tables as Django's models, which it does not manage; fields write their own values."""

from typing import Any

import words
from django.db import models


class WordField(models.SmallIntegerField):
    """A word that is kept as its number."""

    def __init__(self, spoken: tuple[str | None, ...] = (), **options: Any) -> None:
        super().__init__(**options)
        self.spoken = spoken

    def from_db_value(self, value: int | None, *_: Any) -> str | None:
        return None if value is None else self.spoken[value]


class MomentField(models.BigIntegerField):
    """A time that is kept in nanoseconds."""

    def from_db_value(self, value: int | None, *_: Any) -> str | None:
        return words.written(value)


class BytesField(models.BinaryField):
    """A UUID that is kept as bytes."""

    def from_db_value(self, value: bytes | None, *_: Any) -> str | None:
        return None if value is None else words.uuid(bytes(value))


class Type(models.Model):
    """A type of tasks."""

    name = models.CharField(max_length=256)

    class Meta:
        managed, db_table = False, "types"


class Queue(models.Model):
    """A queue."""

    name = models.CharField(max_length=256)

    class Meta:
        managed, db_table = False, "queues"


class User(models.Model):
    """Who started a task."""

    name = models.CharField(max_length=256)

    class Meta:
        managed, db_table = False, "started_by_users"


class Policy(models.Model):
    """A policy; its key in the table is not its id."""

    key = models.AutoField(primary_key=True, db_column="id")
    id = models.CharField(max_length=256, null=True, db_column="policy")
    type = models.CharField(max_length=256, null=True)
    name = models.CharField(max_length=256, null=True)

    class Meta:
        managed, db_table = False, "policies"


class Resource(models.Model):
    """A resource; its key in the table is not its id."""

    key = models.AutoField(primary_key=True, db_column="id")
    id = models.CharField(max_length=256, null=True, db_column="resource")
    type = models.CharField(max_length=256, null=True)
    name = models.CharField(max_length=256, null=True)

    class Meta:
        managed, db_table = False, "resources"


class Tenant(models.Model):
    """A tenant."""

    id = models.BigIntegerField(primary_key=True)
    uuid = BytesField()
    locator = models.CharField(max_length=1024)
    name = models.CharField(max_length=256, null=True)

    class Meta:
        managed, db_table = False, "tenants"


def reference(model: type[models.Model]) -> Any:
    """A key of another table, from which nobody looks back."""
    return models.ForeignKey(model, models.DO_NOTHING, null=True, related_name="+")


class Task(models.Model):
    """A task."""

    id = models.BigIntegerField(primary_key=True)
    uuid = BytesField()
    type, queue, user = reference(Type), reference(Queue), reference(User)
    policy, resource, tenant = reference(Policy), reference(Resource), reference(Tenant)
    state = WordField(words.STATES)
    result = WordField(words.RESULTS, null=True)
    priority = WordField(words.PRIORITIES)
    cancellable = models.BooleanField()
    cancel_requested = models.BooleanField()
    enqueued_at, assigned_at, started_at = MomentField(), MomentField(), MomentField()
    updated_at, completed_at, deleted_at = MomentField(), MomentField(), MomentField()

    class Meta:
        managed, db_table = False, "tasks"
