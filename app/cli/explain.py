"""`flask explain`: how a list is found, for operators who wonder why it takes its time."""

from typing import Any
from uuid import UUID

import click
from marshmallow import ValidationError

from app import clock
from app.api.parsing import entries, faults
from app.api.schemas import list_schema
from app.catalog.activities import ACTIVITIES
from app.catalog.tasks import TASKS
from app.cli.doors import Command, open_database, tenant_at, tenant_option
from app.cli.output import json_option, show, table
from app.errors import BadRequest
from app.repository.lists.explaining import Explanation, explain
from app.repository.lists.plans import Plan
from app.repository.lists.query import Query
from app.vocabulary import Lod

CATALOGS = {catalog.plural: catalog for catalog in (TASKS, ACTIVITIES)}


def read(collection: str, text: str) -> Query:
    """The query string `text`. Ends the command with all that is wrong with it."""
    schema = list_schema(CATALOGS[collection])
    given = entries(text.lstrip("?").encode())
    try:
        query: Query = schema.load(given)
    except ValidationError as error:
        raise BadRequest(list(faults(error.messages, schema, given))) from None
    if query.lod == Lod.COUNT or query.after is not None:
        raise click.ClickException("Lists are explained: lod=count and after= are not accepted.")
    return query


def row(number: int, plan: Plan) -> dict[str, Any]:
    """A plan as a line of a table."""
    indexes = {walk.index.name if walk.index else "primary key" for walk in plan.walks}
    return {
        "step": number, "plan": plan.words, "walks": len(plan.walks),
        "index": ", ".join(sorted(indexes)), "estimate": f"{plan.cost / 1000:.1f} ms",
    }  # fmt: skip


def told(found: Explanation) -> str:
    """An explanation for people."""
    rows = [row(number, plan) for number, plan in enumerate(found.plans, 1)]
    summary = (
        f"{found.found} items in {found.milliseconds:.1f} ms; {found.examined:,} {found.unit} "
        "of the database's work."
    )
    nothing = "No plan is needed: something is asked for that no row has."
    return f"{table(rows) if rows else nothing}\n{summary}"


@click.command(
    "explain",
    cls=Command,
    examples=(
        "flask explain 'state=started&order=desc(startedAt)&limit=100'",
        "flask explain --collection activities 'resourceName=like(db)&limit=100'",
    ),
)
@click.argument("query", default="")
@click.option("--collection", type=click.Choice(list(CATALOGS)), default="tasks", show_default=True)
@tenant_option
@json_option
def explain_query(query: str, collection: str, tenant_uuid: UUID | None, as_json: bool) -> None:
    """Show how a list is found: the plans taken, what they look at, and how long it takes.

    QUERY is what stands behind the `?` of a request.
    """
    asked = read(collection, query)
    with open_database() as database:
        node = tenant_at(database, tenant_uuid)
        found = explain(database, CATALOGS[collection], asked, node, clock.now())
    facts = {
        "plans": [row(number, plan) for number, plan in enumerate(found.plans, 1)],
        "found": found.found, "examined": found.examined, "unit": found.unit,
        "milliseconds": round(found.milliseconds, 3),
    }  # fmt: skip
    show(facts, as_json, told(found))
