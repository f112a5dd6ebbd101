"""`flask backup` under load, and `flask restore` of it: the same questions, the same answers."""

import random
import re
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import engines
import pytest
import reading
import test_lists_against_oracle
import worlds
from commands import Commands
from questions import Asker
from reading import BASE, Reader

from app import service

QUESTIONS = 60
ASKED = 15
"""The tenant that is asked of, in which nobody writes."""
WRITTEN = 150


@pytest.fixture
def second(either):
    """The address of another database, without any table."""
    if isinstance(either, engines.SqliteEngine):
        url = either.blank()
        yield url
        either.forget(url)
    else:
        yield either.recreate(f"{either.name}_second")


def enqueue(app, token, over, accepted):
    """Enqueue until it is over; `accepted` gets the number of each task and when it was there."""
    http = app.test_client()
    while not over.is_set():
        answer = http.post(f"{BASE}/tasks", json={"type": "load"}, headers={"Authorization": token})
        assert answer.status_code == 201
        accepted.append((answer.json["id"], time.monotonic()))
    service.service_of(app).database.close()


def test_a_backup_taken_under_load_is_restored_and_answers_the_same(
    engine, second, tmp_path, monkeypatch
):
    app = reading.served(engine, tmp_path)
    world = worlds.world(2)
    reading.load(app, world, tmp_path)
    token = reading.bearer(app, WRITTEN, ("issuer",))
    file, over, accepted = tmp_path / "monday.backup", Event(), []
    with ThreadPoolExecutor(3) as pool:
        acts = [pool.submit(enqueue, app, token, over, accepted) for _ in range(3)]
        while len(accepted) < 30:
            time.sleep(0.01)
        began = time.monotonic()
        done = Commands(engine, tmp_path).json("backup", file)
        ended = len(accepted)
        while len(accepted) < ended + 10:
            time.sleep(0.01)
        over.set()
        for act in acts:
            act.result()
    assert done == {"file": str(file), "bytes": file.stat().st_size}
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    other = Commands(second, tmp_path)
    assert other.json("restore", file) == {"file": str(file), "current": True}
    there = {item["id"]: item for item in other.exported()}
    assert {number for number, at in accepted if at < began} <= set(there)
    whole = {item["id"]: item for item in Commands(engine, tmp_path).exported()}
    assert all(whole[number] == item for number, item in there.items())
    assert len(there) < len(whole)
    restored = Reader(reading.served(second, tmp_path), world)
    monkeypatch.setattr(test_lists_against_oracle, "TENANTS", (ASKED,))
    for collection in ("tasks", "activities"):
        asker = Asker(collection, restored.whole, "restored")
        for _ in range(QUESTIONS):
            raw = asker.raw(asker.pairs())
            test_lists_against_oracle.check(restored, collection, raw, random.Random(1))
    for one in (app, restored.app):
        service.service_of(one).database.close()


def test_what_would_be_overwritten_is_refused_unless_it_is_said(cli, tmp_path):
    file = tmp_path / "a.backup"
    cli.json("backup", file)
    assert "is there already" in cli.refused("backup", file)
    cli.load({"id": 7, "uuid": worlds.uuid(7), "type": "x", "state": "enqueued"})
    assert "is not empty; --replace" in cli.refused("restore", file)
    assert len(cli.exported()) == 1
    cli.json("restore", file, "--replace")
    assert cli.exported() == []


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", b"-- a dump", b"x" * 10_000])
def test_what_is_no_whole_backup_is_refused_and_changes_nothing(cli, tmp_path, content):
    cli.load({"id": 7, "uuid": worlds.uuid(7), "type": "x", "state": "enqueued"})
    file = tmp_path / "damaged"
    file.write_bytes(content)
    assert cli.refused("restore", file, "--replace").count("\n") == 1
    assert len(cli.exported()) == 1


def test_a_backup_that_breaks_off_is_refused(cli, tmp_path):
    file = tmp_path / "whole"
    cli.json("backup", file)
    short = tmp_path / "short"
    short.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert cli.refused("restore", short, "--replace").count("\n") == 1
    assert cli.exported() == []


def test_a_file_that_is_not_there_or_a_folder_that_cannot_be_written_is_one_line(cli, tmp_path):
    for command, path in (("restore", tmp_path / "none"), ("backup", tmp_path / "none" / "file")):
        assert cli.refused(command, path) == f"Error: No such file or directory: {path}\n"


def test_what_is_restored_is_counted_on_by_whoever_restored_it(cli, second, tmp_path):
    """The account that the backup was made by may not be there, where it is restored."""
    cli.load({"id": 7, "uuid": worlds.uuid(7), "type": "x", "state": "enqueued"})
    file = tmp_path / "a.backup"
    cli.json("backup", file)
    made_by = re.compile(rb"DEFINER=`\w+`@`[^`]+`")
    file.write_bytes(made_by.sub(b"DEFINER=`gone`@`elsewhere`", file.read_bytes()))
    other = Commands(second, tmp_path)
    other.json("restore", file)
    other.load({"id": 8, "uuid": worlds.uuid(8), "type": "x", "state": "enqueued"})
    result = other.run("doctor")
    assert result.exit_code == 0, result.stdout
