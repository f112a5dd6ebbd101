"""How many rows are expected of several conditions, by a sample alone."""

import pytest

from app.catalog.tasks import TASKS
from app.repository.lists.estimating import Estimates
from app.repository.lists.planning import Planner
from app.repository.lists.plans import Demand
from app.repository.lists.sampling import Sample, leading
from app.repository.predicates import Past, Span

TOTAL, SIZE = 1_000_000, 1_000


@pytest.fixture
def estimates():
    """Of rows that are assigned one after the other and updated at once."""
    moments = {"assigned_at": list(range(SIZE)), "updated_at": list(range(1, SIZE + 1))}
    times = {name: sorted(values) for name, values in moments.items()}
    return Estimates(None, TASKS, Sample(TOTAL, SIZE, 0, times=times, moments=moments))


@pytest.mark.parametrize(
    ("assigned", "updated", "expected"),
    [
        ((None, 499), (500, None), 1_000),  # half a row of each: 250,000 if they were independent
        ((None, 399), (600, None), 500),  # not one was seen
        ((None, 99), (None, 100), 100_000),
        ((100, 299), (200, 399), 101_000),
        ((None, None), (None, 100), 100_000),
    ],
)
def test_ranges_of_several_times_are_looked_at_together(estimates, assigned, updated, expected):
    rows = (Span("assigned_at", *assigned), Span("updated_at", *updated))
    assert estimates.matches(rows) == pytest.approx(expected)


def test_one_range_is_taken_by_itself(estimates):
    assert estimates.matches((Span("updated_at", None, 250),)) == pytest.approx(250_000)


@pytest.mark.parametrize(
    ("within", "descending", "updated", "share", "expected"),
    [
        ((None, None), False, (None, 100), 0.001, 0.001),  # the first row met is one of them
        ((None, None), True, (None, 100), 0.001, 0.901),  # they come last
        ((None, 499), True, (None, 100), 0.001, 0.401),
        ((None, None), False, (500, None), 0.100, 0.599),
        ((200, 299), False, (500, None), 0.001, 0.100),  # none is met
        ((500, 200), False, (None, None), 0.001, 0.0),
    ],
)
def test_a_walk_passes_what_comes_before_the_rows_that_are_wanted(
    estimates, within, descending, updated, share, expected
):
    within, spans = Span("assigned_at", *within), (Span("updated_at", *updated),)
    passed = estimates.sample.passed(within, descending, spans, share)
    assert passed == pytest.approx(expected)


def test_where_uuids_grow_with_time_so_do_their_walks(estimates):
    """Along UUIDs the latest come first, and the earliest only at the end."""
    grown = [leading(uuid(at)) for at in range(SIZE)]
    estimates.sample.times["uuid"] = estimates.sample.moments["uuid"] = grown
    early = Span("updated_at", None, SIZE // 10)
    for descending, expected in ((True, 0.9 * TOTAL), (False, 0.001 * TOTAL)):
        demand = Demand(TASKS, (early,), "uuid", descending, None, 101)
        (along,) = list(Planner(estimates, demand, {}).along_order())
        assert along.steps == pytest.approx(expected, rel=0.02)
    past = Past("uuid", uuid(SIZE // 20), None, True)
    demand = Demand(TASKS, (early,), "uuid", True, past, 101)
    (along,) = list(Planner(estimates, demand, {}).along_order())
    assert along.steps < 0.01 * TOTAL


def uuid(at):
    """The UUID of a row: of a kind that begins with the time."""
    return at.to_bytes(8, "big") + bytes(8)


def test_nothing_lies_in_a_range_that_ends_before_it_begins(estimates):
    assert estimates.sample.hits(Span("updated_at", 500, 200)) == 0
