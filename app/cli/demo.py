"""`flask demo`: demonstration data, and somebody who may see it."""

import secrets
from collections.abc import Iterator
from typing import Any

import click

from app import clock
from app.catalog.tasks import TASKS
from app.cli.clients import scope_text
from app.cli.doors import Command, open_database
from app.cli.output import Progress, json_option, show
from app.cli.tenants import described
from app.database import Database
from app.demo import world
from app.demo.steps import EXAMPLE_UUID
from app.demo.week import Week
from app.repository import credentials, tenants
from app.repository.maintenance.importing import intake
from app.repository.maintenance.importing.checking import Tally
from app.repository.tenants import Node
from app.repository.work.identifying import identify
from app.vocabulary import Scope

LOGIN = "demo"
EXAMPLE = ("1", EXAMPLE_UUID)
"""What names the task that the documentation shows."""
EVERY = 500
"""Tasks between two looks at the progress bar."""
SCOPES = (Scope.VIEWER, Scope.ISSUER, Scope.CONSUMER)
"""Enough for every call of the documentation page; not an admin, who may override executors."""


def planned(database: Database, seed: int) -> list[dict[str, Any]]:
    """The demonstration's tenants as objects name them: those that are there, the others numbered
    behind the last."""
    number = tenants.last_number(database)
    nodes: list[Node] = []
    for place in world.places(seed):
        node = tenants.by_uuid(database, place.uuid)
        if node is None:
            number += 1
            above = tenants.root(database) if place.above is None else nodes[place.above]
            node = tenants.below(above, number, place.uuid, place.name)
        nodes.append(node)
    return [described(node) for node in nodes]


def fill(database: Database, tasks: int, seed: int, progress: Progress) -> Tally:
    """`tasks` tasks and their activities are there."""
    now = clock.now()
    root = tenants.root(database)
    taken = (identify(database, TASKS, key, root, allow_deleted=True) for key in EXAMPLE)
    new = all(number is None for number in taken)
    week = Week(world.World(planned(database, seed), tasks), tasks, seed, now, example=new)
    made = arrivals(week, tasks, progress)
    # The activity that the documentation shows may be there already, as somebody else's.
    return intake.take(database, made, root, now, skip_bad=True, watch=progress)


def arrivals(week: Week, tasks: int, progress: Progress) -> Iterator[intake.Arrival]:
    """All objects of `week`."""
    progress.begin("Making", tasks)
    done = 0
    for value in week.objects():
        done += "taskId" not in value
        if done % EVERY == 0:
            progress.at(done)
        yield None, value, ()


def free_login(database: Database) -> str:
    """`demo`, or with a number when that is taken."""
    login, number = LOGIN, 1
    while credentials.user(database, login):
        number += 1
        login = f"{LOGIN}-{number}"
    return login


def admit(database: Database, root: Node) -> dict[str, str]:
    """A client and a user who see everything, and a client for agents, which carry tasks out and
    see nothing else -> what they log in with."""
    now, login, password = clock.now(), free_login(database), secrets.token_urlsafe(9)
    agents = credentials.create_client(database, "Agents", root.id, (Scope.CONSUMER,), now)
    client_id, secret = credentials.create_client(database, "Demonstration", root.id, SCOPES, now)
    credentials.create_user(database, login, password, root.id, SCOPES, now)
    return {
        "client_id": client_id, "client_secret": secret, "login": login, "password": password,
        "tenant_id": str(root.uuid), "scope": scope_text(SCOPES),
        "agent_client_id": agents[0], "agent_client_secret": agents[1],
    }  # fmt: skip


@click.command("demo", cls=Command, examples=("flask demo", "flask demo --tasks 100000 --seed 7"))
@click.option("--tasks", type=click.IntRange(1, 100_000_000), default=5_000, show_default=True,
              help="How many tasks; each has about three activities.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True,
              help="The same seed makes the same week, ending now.")  # fmt: skip
@json_option
def demo(tasks: int, seed: int, as_json: bool) -> None:
    """Add a service provider's week as demonstration data, with a client and a user to see it."""
    progress = Progress()
    with open_database() as database:
        try:
            tally = fill(database, tasks, seed, progress)
        finally:
            progress.end()
        admitted = admit(database, tenants.root(database))
    words = [
        f"Made {tally.tasks:,} tasks and {tally.activities:,} activities.",
        f"client_id:     {admitted['client_id']}",
        f"client_secret: {admitted['client_secret']}  (shown this once)",
        f"login:         {admitted['login']}",
        f"password:      {admitted['password']}  (shown this once)",
        f"agents' id:    {admitted['agent_client_id']}",
        f"their secret:  {admitted['agent_client_secret']}  (shown this once)",
    ]
    counts = {"tasks": tally.tasks, "activities": tally.activities}
    show({**counts, **admitted}, as_json, "\n".join(words))
