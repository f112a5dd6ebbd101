"""Reading files: the same objects come out of every shape, wherever the windows fall."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.repository.importing import window as windows
from app.repository.importing.documents import Documents

LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False,
                   allow_infinity=False), st.text())  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=8,
)
OBJECTS = st.lists(
    st.dictionaries(st.text().filter(lambda name: name != "items"), VALUES), max_size=5
)


def written(value: Any, ascii_only: bool = False, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent)


SHAPES = (
    lambda objects, **how: "\n".join(written(item, **how) for item in objects),
    lambda objects, **how: "".join(written(item, **how) for item in objects),
    lambda objects, **how: written(objects, **how),
    lambda objects, **how: written({"size": 1, "items": objects, "paging": {}}, **how),
    lambda objects, **how: "\n".join(written({"items": [item]}, **how) for item in objects),
)


@settings(deadline=None, max_examples=200)
@given(objects=OBJECTS, shape=st.sampled_from(SHAPES), window=st.integers(1, 40),
       ascii_only=st.booleans(), indent=st.sampled_from((None, 2)))  # fmt: skip
def test_every_object_is_found_in_every_shape(objects, shape, window, ascii_only, indent):
    text = shape(objects, ascii_only=ascii_only, indent=indent)
    found = list(Documents(io.BytesIO(text.encode()), window))
    assert [item.troubles for item in found] == [()] * len(objects)
    assert written([item.value for item in found]) == written(objects)


@settings(deadline=None, max_examples=200)
@given(raw=st.binary(max_size=60), window=st.integers(1, 20))
def test_no_bytes_are_too_strange(raw, window):
    for item in Documents(io.BytesIO(raw), window):
        assert item.troubles or item.value is not None


@pytest.mark.parametrize("window", [1, 7, 100])
def test_lines_are_counted(window):
    text = '{"a":\n1}\n\n{"b": 2}\n[{"c": 3},\n {"d": 4}]'
    found = list(Documents(io.BytesIO(text.encode()), window))
    assert [(item.line, item.place) for item in found] == [(1, None), (4, None), (5, 0), (6, 1)]


def test_a_saved_answer_may_be_longer_than_any_object(monkeypatch):
    monkeypatch.setattr(windows, "LONGEST", 100)
    items = [{"id": number, "pad": "x" * 50} for number in range(20)]
    for text in (json.dumps({"items": items, "size": 20}), json.dumps(items)):
        assert [item.value for item in Documents(io.BytesIO(text.encode()), 10)] == items
    too_long = json.dumps({"id": 1, "pad": "x" * 200})
    for text in (too_long, f"[{too_long}]", f'{{"items": [{too_long}]}}'):
        (item,) = Documents(io.BytesIO(text.encode()), 10)
        assert "too long" in item.troubles[0]
