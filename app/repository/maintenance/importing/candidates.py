"""One object on trial: its columns, and all that is wrong with it by itself."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.catalog.activities import ACTIVITIES
from app.catalog.rows import Catalog
from app.catalog.tasks import TASKS
from app.errors import Fault
from app.repository.maintenance.importing.layout import LAYOUTS
from app.repository.maintenance.importing.members import IGNORED, Columns
from app.repository.maintenance.importing.values import Wrong
from app.vocabulary import State

COMPLETED = State.COMPLETED.code
REQUIRED = (("id", "id"), ("uuid", "uuid"), ("type", "type_id"), ("state", "state"))
"""Attributes that every object needs, and their columns."""
NAMED = (("type", "type_id"), ("queue", "queue_id"))
"""Attributes that cannot be empty, and their columns: no filter could name them."""
STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
SHOWN = 100
"""Characters of a faulty value that a message repeats."""


@dataclass(slots=True)
class Candidate:
    """An object on trial: where it came from, its columns, and what is wrong with it."""

    origin: Any
    catalog: Catalog
    into: Columns
    faults: list[Fault]

    def refuse(self, name: str, value: Any, error: Wrong) -> None:
        """What is wrong with the attribute `name`, and with which part of its `value`."""
        for place, words in error.faults:
            self.wrong(name + place, part(value, place), words)

    def wrong(self, place: str, value: Any, message: str) -> None:
        """One more fault."""
        shown = "" if value is None else json.dumps(value, ensure_ascii=False, default=str)[:SHOWN]
        self.faults.append(Fault(place, shown, message))


def part(value: Any, place: str) -> Any:
    """What is at `place` in `value`, such as `[0].number`; None where nothing is."""
    for member, number in STEP.findall(place):
        try:
            value = value[member or int(number)]
        except (LookupError, TypeError):
            return None
    return value


def read(origin: Any, value: Any, troubles: Sequence[str]) -> Candidate:
    """`value` on trial, with all that is wrong with it by itself."""
    if not isinstance(value, dict):
        faults = [Fault("", "", trouble) for trouble in troubles or ("an object is needed",)]
        return Candidate(origin, TASKS, {IGNORED: []}, faults)
    catalog = ACTIVITIES if value.get("taskId") is not None else TASKS
    layout = LAYOUTS[catalog.plural]
    into = layout.defaults.copy()
    into[IGNORED] = []
    candidate = Candidate(origin, catalog, into, [Fault("", "", words) for words in troubles])
    reading_of = layout.readers.get
    for name, given in value.items():
        reading = reading_of(name)
        if reading is None:
            into[IGNORED].append(name)
        elif given is not None:
            column, reader = reading
            try:
                if column is None:
                    reader(given, into)
                else:
                    into[column] = reader(given)
            except Wrong as error:
                candidate.refuse(name, given, error)
    consistent(candidate, value, layout.twins)
    return candidate


def consistent(candidate: Candidate, value: Columns, twins: Iterable[tuple[str, str]]) -> None:
    """Note what is missing and what does not fit together."""
    into = candidate.into
    for name, column in REQUIRED:
        if into[column] is None and value.get(name) is None:
            candidate.wrong(name, None, "is needed")
    for name, column in twins:
        twin = value.get(name)
        if twin is not None and into[column] is not None and twin != str(into[column]):
            candidate.wrong(name, twin, f"should repeat {into[column]}")
    completed = into["state"] == COMPLETED
    if completed and into["result"] is None and not refused(candidate, "result"):
        candidate.wrong("result.code", None, "is needed once completed")
    if into["state"] is not None and not completed:
        for name, column in (("result", "result"), ("completedAt", "completed_at")):
            if into[column] is not None:
                candidate.wrong(name, value[name], "is accepted only once completed")
    for name, column in NAMED:
        if into.get(column) == ("",):
            candidate.wrong(name, "", "must not be empty")


def refused(candidate: Candidate, name: str) -> bool:
    """Whether a fault names the attribute `name` already."""
    return any(fault.parameter.startswith(name) for fault in candidate.faults)
