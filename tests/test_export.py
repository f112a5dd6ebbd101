"""`flask export`: everything, in an order that an import takes back."""

import random

from test_import import activity, ended, task


def test_tasks_come_first_and_deleted_ones_too(cli):
    deleted = {"deletedAt": "2026-11-23T20:00:00.000000001Z"}
    cli.load(ended(2, **deleted), activity(1, of=2, **deleted), task(1))
    first, second, third = cli.exported()
    assert [first["id"], second["id"], third["id"]] == [1, 2, 1]
    assert second["deletedAt"] == third["deletedAt"] == deleted["deletedAt"]
    assert "taskId" in third


def test_parents_come_before_their_children_whatever_their_ids(cli):
    """A forest whose ids have nothing to do with who is above whom."""
    ids = random.Random(5).sample(range(1, 5_000), 1_200)
    above = random.Random(6)
    objects = [task(1)]
    for place, number in enumerate(ids):
        parent = ids[above.randrange(place)] if place and above.random() < 0.8 else None
        objects.append(activity(number, parentActivityId=parent))
    cli.load(*objects)
    seen = set()
    exported = cli.exported()
    for item in exported[1:]:
        assert item.get("parentActivityId") in seen | {None}
        seen.add(item["id"])
    assert seen == set(ids)
    cli.load(*exported, options=("--replace",))
    assert cli.exported() == exported


def test_many_are_exported_page_by_page(cli):
    cli.load(*(task(number) for number in range(1, 1_202)))
    assert [item["id"] for item in cli.exported()] == list(range(1, 1_202))
    assert cli.json("export", "--output", cli.folder / "all.ndjson") == {
        "tasks": 1_201, "activities": 0
    }  # fmt: skip


def test_a_file_that_cannot_be_made_is_named_as_it_was_given(cli):
    path = cli.folder / "none" / "all.ndjson"
    assert cli.refused("export", "--output", path) == f"Error: No such file or directory: {path}\n"
