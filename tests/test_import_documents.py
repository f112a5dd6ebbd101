"""Reading files: the same objects come out of every shape, wherever the windows fall."""

import io
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.repository.maintenance.importing import window as windows
from app.repository.maintenance.importing.documents import Documents

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


def written(
    value: Any, ascii_only: bool = False, indent: int | None = None, blanks: bool = True
) -> str:
    separators = None if blanks else (",", ":")
    return json.dumps(value, ensure_ascii=ascii_only, indent=indent, separators=separators)


SHAPES = (
    lambda objects, **how: "\n".join(written(item, **how) for item in objects),
    lambda objects, **how: "".join(written(item, **how) for item in objects),
    lambda objects, **how: written(objects, **how),
    lambda objects, **how: written({"size": 1, "items": objects, "paging": {}}, **how),
    lambda objects, **how: "\n".join(written({"items": [item]}, **how) for item in objects),
)


@settings(deadline=None, max_examples=100)
@given(objects=OBJECTS, shape=st.sampled_from(SHAPES), window=st.integers(1, 40),
       ascii_only=st.booleans(), indent=st.sampled_from((None, 2)),
       blanks=st.booleans())  # fmt: skip
def test_every_object_is_found_in_every_shape(objects, shape, window, ascii_only, indent, blanks):
    text = shape(objects, ascii_only=ascii_only, indent=indent, blanks=blanks)
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


def test_lines_without_blanks_are_read_the_quick_way(monkeypatch):
    monkeypatch.setattr(Documents, "value", None)
    objects = [{"id": 2**63, "pad": "\u0000é🚀\\", "half": 0.5, "in": [{"a": None}]}, {"b": True}]
    text = "".join(written(item, blanks=False) + "\n" for item in objects)
    found = list(Documents(io.BytesIO(text.encode())))
    assert found == [(1, None, objects[0], ()), (2, None, objects[1], ())]


LOST = {
    '{"a":1,"a":1}': "comes twice", '{"in":[{"a":1,"b":2,"a":3}]}': "comes twice",
    '{"a":NaN}': "no JSON number", '{"a":"\\ud800"}': "half of a surrogate pair",
    '{"a":1e999}': "beyond the range",
}  # fmt: skip


@pytest.mark.parametrize(("line", "trouble"), LOST.items())
def test_what_the_quick_way_would_lose_is_read_slowly(line, trouble):
    (item,) = Documents(io.BytesIO(f"{line}\n".encode()))
    assert any(trouble in words for words in item.troubles)


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**40])
def test_large_integers_stay_what_they_are(number):
    (item,) = Documents(io.BytesIO(b'{"a":%d}\n' % number))
    assert item.value == {"a": number}
    assert type(item.value["a"]) is int


def test_the_quick_way_is_given_up_where_it_leads_nowhere():
    documents = Documents(io.BytesIO(b'{"a": 1}\n' * 100))
    assert len(list(documents)) == 100
    assert documents.lines.chances == 0


def test_a_saved_answer_may_be_longer_than_any_object(monkeypatch):
    monkeypatch.setattr(windows, "LONGEST", 100)
    items = [{"id": number, "pad": "x" * 50} for number in range(20)]
    for text in (json.dumps({"items": items, "size": 20}), json.dumps(items)):
        assert [item.value for item in Documents(io.BytesIO(text.encode()), 10)] == items
    too_long = json.dumps({"id": 1, "pad": "x" * 200})
    for text in (too_long, f"[{too_long}]", f'{{"items": [{too_long}]}}'):
        (item,) = Documents(io.BytesIO(text.encode()), 10)
        assert "too long" in item.troubles[0]
