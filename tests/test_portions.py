"""How many names are asked for together, by a sample alone."""

from collections import Counter

import pytest

from app.catalog.tasks import TASKS
from app.repository.lists.estimating import Estimates
from app.repository.lists.portions import IN_VAIN, TOGETHER, handfuls
from app.repository.lists.sampling import Sample
from app.repository.predicates import Among

NAMES = 10_000


@pytest.fixture
def estimates():
    """Of rows of ten thousand users, of whom none was seen twice."""
    values = {"user_id": Counter(range(1_000))}
    return Estimates(None, TASKS, Sample(100_000, 1_000, 0, values=values))


def sizes(estimates, found):
    """How many names come together, where `found` are the rows of those before."""
    values = ((f"user {number}", Among("user_id", (number,))) for number in range(NAMES))
    return [len(some) for some in handfuls(estimates, values, 0.001, 101, found)]


def test_while_no_name_has_a_row_more_and_more_are_asked_for_together(estimates):
    asked = sizes(estimates, [])
    assert sum(asked) == NAMES
    assert asked[:3] == [TOGETHER, 2 * TOGETHER, 4 * TOGETHER]
    assert max(asked) == IN_VAIN


def test_where_names_have_rows_no_more_are_asked_for_together(estimates):
    assert set(sizes(estimates, [("a row",)])) == {TOGETHER}
