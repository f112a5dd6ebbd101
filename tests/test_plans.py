"""Which plan is taken, by a sample alone."""

from collections import Counter

import pytest

from app.catalog.rows import Members
from app.catalog.tasks import TASKS
from app.models import Policy, Task
from app.repository import invariants
from app.repository.lists.costs import LOOKED_UP, TESTED, Costs
from app.repository.lists.elsewhere import Containing, Within
from app.repository.lists.estimating import Estimates, indexes
from app.repository.lists.planning import BRANCHES, Planner
from app.repository.lists.plans import SINGLY, Demand, Plan
from app.repository.lists.postings import Posted
from app.repository.lists.sampling import Sample
from app.repository.lists.walks import Walk
from app.repository.predicates import Among, Span, Tagged

TOTAL, SIZE = 100_000, 1_000
POLICY = Among("policy_id", (1,))
LATE = Span("enqueued_at", 900, None)


@pytest.fixture
def estimates():
    """Of rows of which one in a hundred has policy 1; enqueued one after the other."""
    few = SIZE // 100
    values = {"policy_id": Counter({1: few, None: SIZE - few}), "type_id": Counter({1: SIZE})}
    times = {"enqueued_at": list(range(SIZE))}
    return Estimates(None, TASKS, Sample(TOTAL, SIZE, 0, values=values, times=times))


def planner(estimates, *rows, limit=101, bounds=None):
    """Of a list of tasks in order of id."""
    return Planner(estimates, Demand(TASKS, rows, "id", False, None, limit), bounds or {})


@pytest.mark.parametrize("limit", [101, 18_000])
def test_however_many_rows_are_wanted_few_are_not_looked_for_among_all(estimates, limit):
    (walk,) = planner(estimates, POLICY, limit=limit).best().walks
    assert walk.index is not None
    assert walk.index.name == "tasks_policy_id"


def test_where_ids_do_not_grow_with_time_a_time_spares_no_ids(estimates):
    assert planner(estimates, LATE).nearby == pytest.approx(0.1)
    mixed = {invariants.unordered(TASKS): 1}
    assert planner(estimates, LATE, bounds=mixed).nearby == 1.0


def test_while_bounds_are_measured_no_time_implies_another(estimates):
    assert planner(estimates, LATE).implied("assigned_at") is not None
    measured = {invariants.measured(TASKS): 1}
    assert planner(estimates, LATE, bounds=measured).implied("assigned_at") is None


def test_no_ids_are_asked_for_where_none_can_be_spared(estimates):
    walk = Walk((Posted("id", LATE, next(indexes("tasks", "enqueued_at"))),), "uuid", False)
    plan = Plan((walk,), 5_000.0, "along uuid, beside enqueued_at")
    assert planner(estimates, LATE).nearer(plan) is plan


def test_values_beyond_number_are_no_walks_of_their_own(estimates):
    walk = Walk((), "id", False, next(indexes("tasks", "type_id")))
    some = Among("type_id", tuple(range(BRANCHES)))
    assert len(planner(estimates, some).branched(walk, some)) == BRANCHES
    assert planner(estimates).branched(walk, Among("type_id", (*some.values, BRANCHES))) == []


@pytest.mark.parametrize(
    "row",
    [
        Containing("policy_id", Members(Task.policy_id, Policy.name), ("a",), ()),
        Within("tenant_id", "/1/"),
    ],
    ids=["entries", "tenants"],
)
def test_for_few_rows_what_other_tables_have_is_looked_up_for_each(estimates, row):
    estimates.counts[row] = TOTAL / 2
    (walk,) = planner(estimates, row, limit=SINGLY // 3).best().walks
    assert walk.predicates == (row.singly(),)
    assert row.singly().shape != row.shape
    (walk,) = planner(estimates, row, limit=SINGLY).best().walks
    assert walk.predicates == (row,)


def test_what_the_index_tests_costs_no_look_at_the_rows(estimates):
    index = next(indexes("tasks", "type_id"))
    costs, rest = Costs(estimates), (Among("type_id", (1,)), POLICY)
    told, looked_at = (costs.walked(10_000, 10_000, rest, one) for one in (index, None))
    assert told == pytest.approx(10_000 * TESTED + costs.walked(100, 100, (), None))
    assert told < looked_at / 2


def test_a_walk_is_not_told_apart_by_what_it_begins_with(estimates):
    index, costs = next(indexes("tasks", "policy_id")), Costs(estimates)
    assert "policy_id" not in index.tail
    with_it, without = (costs.walked(1_000, 1_000, (POLICY,), one) for one in (index, None))
    assert with_it == without


def test_a_row_has_few_tags_however_many_are_asked_for(estimates):
    costs = Costs(estimates)
    assert costs.looked_up((Tagged("id", (1,)),)) == LOOKED_UP
    assert costs.looked_up((Tagged("id", tuple(range(200))),)) == 2 * LOOKED_UP
