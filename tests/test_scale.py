"""`make scale`: measures once, goes on where it was cut, and tells figures beside their bounds."""

import json
from pathlib import Path
from typing import Any

import pytest

from benches import claim
from benches.scale import __main__ as scale
from benches.scale import judged, reads, rivals, stock

PARTS = "lists activities counts claims"


def run(monkeypatch: pytest.MonkeyPatch, room: Path) -> None:
    """One run of small sizes, in `room`."""
    chosen = {"SIZES": "1k,2k", "ENGINES": "sqlite", "PARTS": PARTS, "ACTIVITIES": "2k",
              "SCALE_FOLDER": str(room), "DOCS": str(room / "docs")}  # fmt: skip
    for name, value in chosen.items():
        monkeypatch.setenv(name, value)
    for module, name, value in ((reads, "DRAWS", 2), (reads, "TIMES", 1), (claim, "CLAIMS", 5)):
        monkeypatch.setattr(module, name, value)
    scale.main()


def test_a_run_is_told_and_what_is_kept_is_not_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, tmp_path)
    page = (tmp_path / "docs" / "benchmarks.md").read_text()
    assert "## Bounds" in page
    assert "SQLite, 1k to 2k" in page
    assert "<= 60 ms" in page
    pictures = {file.name for file in (tmp_path / "docs" / "benchmarks").iterdir()}
    assert "family-orders.svg" in pictures
    assert all(f"benchmarks/{name}" in page for name in pictures)
    told = capsys.readouterr().err
    assert "8 of 8: sqlite, 2,000 tasks, claims" in told
    assert "FAILED" not in told
    database = stock.opened(f"sqlite:///{tmp_path}/sqlite/tasks2000.db")
    assert database.rows(stock.WRITTEN) == []
    assert database.rows("SELECT count(*) FROM tasks") == [(2_000,)]
    database.close()
    next((tmp_path / "results").glob("*-2000-counts.json")).unlink()
    run(monkeypatch, tmp_path)
    again = capsys.readouterr().err
    assert "1 of 1: sqlite, 2,000 tasks, counts" in again
    assert "loaded" not in again


def test_half_a_database_is_loaded_anew(tmp_path: Path) -> None:
    some = stock.Stock(tmp_path, None, 1_000)
    some.make("sqlite", 300)
    file = Path(some.url("sqlite", 300).removeprefix("sqlite:///"))
    whole = file.stat().st_size
    assert some.whole("sqlite", 300)
    file.write_bytes(b"")
    some.stamp("sqlite", 300)[0].unlink()
    some.make("sqlite", 300)
    assert file.stat().st_size == whole


def request(words: str, large: float, full: bool = True) -> dict[str, Any]:
    """A request's line, which takes a millisecond at the smallest size."""
    return {"words": words, "family": "orders", "ms": [large] * 9, "full": True,
            "before": [1.0] * 9, "comparable": full}  # fmt: skip


def test_growth_is_that_of_full_pages() -> None:
    rows = [request("a", 1.4), request("b", 1.6), request("c", 50.0, full=False)]
    told = {"against": 1_000, "requests": rows}
    results = [{"part": "lists", "engine": "sqlite", "size": 10_000, "told": told}]
    grown, slowest = judged.verdicts(results)
    assert grown.figure == "1 of 2 within; worst 1.60 x (b)"
    assert grown.kept is False
    assert slowest.figure == "50.0 ms (c)"
    assert slowest.kept is True


@pytest.mark.parametrize(("text", "size"), [("5000", 5_000), ("100k", 100_000), ("10M", 10**7)])
def test_sizes_are_written_as_people_say_them(text: str, size: int) -> None:
    assert scale.number(text) == size
    assert scale.number(judged.short(size)) == size


@pytest.mark.parametrize("text", ["", "k", "1.5M", "many", "0", "-1"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SystemExit, match="not a size"):
        scale.number(text)


def test_a_peer_that_answers_other_items_is_not_timed() -> None:
    class Wrong:
        headers = {"Authorization": "Bearer a.b.c"}

        def ask(self, path: str) -> bytes:
            return json.dumps({"results": [{"id": 2, "policy": None}]}).encode()

    server: Any = Wrong()
    assert rivals.items(server.ask("/")) == [{"id": 2}]
    with pytest.raises(ValueError, match="the service's items"):
        rivals.check(server, "/", [{"id": 1}])
