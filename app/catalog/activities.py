"""What the collection of activities can be asked, and what it answers."""

from app.catalog.kinds import Flag
from app.catalog.kinds import Number as Id
from app.catalog.rows import Attribute, Catalog, Filter, Members, Order
from app.catalog.shapes import Digits, Json, Number, Time, Truth
from app.catalog.shared import (
    agent,
    body,
    identity,
    marks,
    moments,
    parties,
    standing,
    subjects,
    tiny,
)
from app.models import Activity, ActivityDetail, ActivityTag, StartedByUser, TypeName
from app.vocabulary import Lod

ACTIVITIES = Catalog(
    "activity", "activities", Activity, ActivityDetail, ActivityTag,
    filters=(
        *identity(Activity, "activities"),
        *subjects(Activity),
        Filter("taskId", Id(), Activity.task_id, "Ids of the tasks they belong to.", "1"),
        Filter("parentActivityId", Id(), Activity.parent_id, "Ids of the parent activities.", "1"),
        *standing(Activity),
        *moments(
            Activity,
            ("createdAt", Activity.created_at, "When it was made"),
            ("startedAt", Activity.started_at, "When its work began"),
            ("updatedAt", Activity.updated_at, "When it last changed"),
            ("completedAt", Activity.completed_at, "When it ended"),
        ),
        Filter("sustainable", Flag(), Activity.sustainable,
               "Whether it outlives a return of its task to the queue.", "true"),
        *marks("activities"),
    ),
    orders=(
        Order("id", Activity.id),
        Order("uuid", Activity.uuid),
        Order("type", Members(Activity.type_id, TypeName.name)),
        Order("startedByUser", Members(Activity.user_id, StartedByUser.name)),
        Order("state", Activity.state),
        Order("createdAt", Activity.created_at),
        Order("startedAt", Activity.started_at),
        Order("updatedAt", Activity.updated_at),
        Order("completedAt", Activity.completed_at),
    ),
    attributes=(
        *tiny(Activity, ActivityDetail),
        Attribute("taskId", Lod.TINY, Number(Activity.task_id), "The task it belongs to."),
        Attribute("taskIdString", Lod.TINY, Digits(Activity.task_id), "As a string."),
        Attribute("parentActivityId", Lod.SHORT, Number(Activity.parent_id), "The one above it."),
        Attribute("parentActivityIdString", Lod.SHORT, Digits(Activity.parent_id), "As a string."),
        Attribute("createdAt", Lod.SHORT, Time(Activity.created_at), "When it was made."),
        Attribute("startedAt", Lod.SHORT, Time(Activity.started_at), "When its work began."),
        Attribute("updatedAt", Lod.SHORT, Time(Activity.updated_at), "When it last changed."),
        Attribute("completedAt", Lod.SHORT, Time(Activity.completed_at), "When it ended."),
        Attribute("sustainable", Lod.SHORT, Truth(Activity.sustainable),
                  "Whether it outlives a return of its task to the queue."),
        *parties(Activity),
        agent("executor", Activity.executor_id, "Who carries it out."),
        *body(Activity, ActivityDetail),
        Attribute("argument", Lod.FULL, Json(ActivityDetail.argument), "What it was given."),
        Attribute("revision", Lod.DEBUG, Number(Activity.revision), "Grows with every change."),
    ),
)  # fmt: skip
