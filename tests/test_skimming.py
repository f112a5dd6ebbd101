"""Bodies are read alike by the compiled reading and by the schema that it was made from."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from marshmallow import Schema, ValidationError

from app.api import forms, skimming

SCHEMAS = {
    name: schema() for name, schema in forms.FORMS.items()
    if name.endswith("Body")
}  # fmt: skip
WORDS = sorted({name for schema in SCHEMAS.values() for name in schema.fields})
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2**63), st.floats(allow_nan=False),
    st.text("ab", max_size=3),
    st.sampled_from(["normal", "high", "ok", "started", forms.UUID, forms.UUID.upper(), "x" * 257,
                     "2027-01-01T00:00:00Z", 10**9, 0, 1, 100, 101]),
)  # fmt: skip
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(WORDS), inner, max_size=3)
    ),
    max_leaves=6,
)


def right(field):
    """Values that `field` mostly takes."""
    example = field.metadata.get("example", "ab")
    if isinstance(field, skimming.Nested):
        return objects(field.schema)
    if isinstance(field, skimming.Many):
        return st.lists(right(field.inner), min_size=0, max_size=3)
    return st.just(getattr(example, "value", example))


@st.composite
def objects(draw, schema):
    """Bodies of `schema` that are right, but for a member here and there."""
    made = {}
    for name, field in schema.fields.items():
        if field.required or draw(st.booleans()):
            wrong = draw(st.integers(0, 24)) == 0
            made[name] = draw(VALUES if wrong else right(field))
    if draw(st.integers(0, 9)) == 0:
        made[draw(st.sampled_from(WORDS))] = draw(VALUES)
    return made


def outcome(read):
    """What reading makes of a body: its value, or all that is wrong with it."""
    try:
        return read()
    except ValidationError as error:
        return error.messages


@pytest.mark.parametrize("name", SCHEMAS)
def test_what_is_read_is_what_the_schema_reads(name: str) -> None:
    schema: Schema = SCHEMAS[name]
    quick, taken = skimming.of_schema(schema), []

    @settings(max_examples=200, deadline=None, derandomize=True)
    @given(objects(schema))
    def compare(body):
        body = json.loads(json.dumps(body))
        expected = outcome(lambda: schema.load(body))
        assert repr(outcome(lambda: skimming.loaded(schema, body))) == repr(expected)
        try:
            taken.append(quick(body))
        except (skimming.Doubtful, ValueError):
            return
        assert repr(taken[-1]) == repr(expected)

    compare()
    assert taken, "the quick way has read nothing at all"


@pytest.mark.parametrize("name", SCHEMAS)
def test_nothing_of_a_schema_is_out_of_the_quick_ways_sight(name: str) -> None:
    schema = SCHEMAS[name]
    assert not any(schema._hooks.values()), "hooks are not run"
    for field in schema.fields.values():
        assert not field.validators
        assert not field.allow_none
        assert field.data_key is None
        assert not callable(field.load_default)
        assert not field.dump_only
