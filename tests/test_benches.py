"""The benchmarks' floor is honest: it answers the very items that the service answers."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest
import reading

from app.service import service_of
from benches import anchors, data, floor

LINES = 80


def test_the_floor_answers_what_the_service_answers(
    blank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKS_DATABASE_URL", blank)
    monkeypatch.delenv("TASKS_SECRET_KEY", raising=False)
    service = reading.served(blank, tmp_path)
    data.load(service_of(service).database, 500, steps=False)
    token = {"Authorization": reading.bearer(service)}
    ours = service.test_client().get(floor.PAGE, headers=token).json["items"]
    theirs = json.loads(b"".join(importlib.reload(floor).app({}, lambda *_: None)))["items"]
    floor.kept.connection.close()
    service_of(service).database.close()
    assert len(theirs) == 100
    assert ours == theirs


def test_the_floor_is_one_short_file() -> None:
    assert len(Path(floor.__file__).read_text().splitlines()) <= LINES


@pytest.mark.parametrize(("value", "verdict"), [(1.5, "ok"), (1.6, "ok"), (1.7, "OVER")], ids=str)
def test_a_figure_stands_beside_its_bound(value: float, verdict: str) -> None:
    told: Any = anchors.line("page", value).split()
    assert verdict in told
    assert "<=" in told
