"""Generated query strings, sound and spoiled, judged by an independent reading of the grammar.

None is answered 5xx, none that is sound is refused, none that is not is accepted, and a refusal
names exactly the parameters that are at fault. 20,000 run in CI, fewer elsewhere.
"""

import json
import os

import oracle_grammar
import pytest
from questions import Vandal
from reading import faults

SEED = int(os.environ.get("TASKS_TEST_SEED", "20261124"))
CHUNKS = 5
SHARE = {"sqlite": 1_400, "mysql": 600} if os.environ.get("CI") else {"sqlite": 140, "mysql": 60}
"""Strings in each chunk of each collection, by engine."""


@pytest.mark.parametrize("seed", [f"{SEED}-{chunk}" for chunk in range(CHUNKS)])
@pytest.mark.parametrize("collection", ["tasks", "activities"])
def test_what_the_grammar_allows_is_answered_and_the_rest_refused(reader, collection, seed):
    vandal = Vandal(collection, reader.whole, seed)
    for _ in range(SHARE[reader.service.database.dialect]):
        judge(reader, collection, vandal.spoiled())


def judge(reader, collection: str, raw: bytes) -> None:
    """The answer to `raw` is what the grammar says."""
    answer = reader.get(collection, raw)
    wrong = faults(collection, raw)
    if wrong:
        assert answer.status_code == 400, (raw, wrong)
        assert answer.json["code"] == "bad_request", (raw, answer.text)
        told = {fault["parameter"] for fault in answer.json["errors"]}
        assert None in wrong or told == wrong, raw
    else:
        sound(reader, collection, raw, answer)


def sound(reader, collection: str, raw: bytes, answer) -> None:
    """The answer to a sound query is its first page."""
    ask = oracle_grammar.read(collection, raw)
    if ask.after or answer.status_code == 400:
        assert answer.status_code == 400, raw
        assert answer.json["code"] == ("bad_cursor" if ask.after else "query_too_long"), raw
        assert ask.after or len(raw) > 4_096, raw
        return
    assert answer.status_code == 200, (raw, answer.text)
    lod, ask.lod = ask.lod, "tiny"
    expected = [item["id"] for item in reader.expected(collection, ask)]
    body = json.loads(answer.data)
    if lod == "count":
        assert body["count"] == len(expected), raw
    else:
        assert [item["id"] for item in body["items"]] == expected[: ask.limit], raw
