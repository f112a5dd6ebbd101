"""Which tasks a claim would have: every way against a plain reading of the contract."""

import random
from contextlib import closing
from dataclasses import replace
from itertools import product

import identities
import pytest

from app import config, database
from app.models import Tenant
from app.repository import tenants
from app.repository.work import candidates, claiming, enqueueing
from app.repository.work.enqueueing import Order
from app.repository.work.wishes import Wish
from app.vocabulary import Priority

MILLISECOND = 10**6
NOW = 1_790_000_000 * 10**9
AGENTS = (("a", ""), ("a", "c"), ("", "c"), ("b", ""), ("b", "d"))
EXECUTORS = (("a", ""), ("a", "c"), ("b", "c"), ("nobody", ""))
NAMES = (None, ("x",), ("y", "z"), ("x", "nobody's"))
WAYS = (((), 32), (((99, 99),), 1), (((0, 1), (3, 2)), 32), (((0, 5),), 2))
"""Lanes and steps of walks, and streams that are walked at once."""


@pytest.fixture
def connected(engine):
    with closing(database.connect(config.load({"TASKS_DATABASE_URL": engine}))) as opened:
        with opened.write_transaction():
            for number, (uuid, parent, branch, locator) in identities.LOCATORS.items():
                row = {"id": number, "uuid": uuid.bytes, "parent_id": parent, "branch_id": branch,
                       "locator": locator, "name": locator}  # fmt: skip
                opened.change(Tenant.insert(row))
        yield opened


def drawn(nodes, chance, count):
    """Orders of all kinds."""
    for _ in range(count):
        yield Order(
            chance.choice(nodes), chance.choice("xyz"), None, chance.choice("xyz"),
            chance.choice(list(Priority)), affinity=chance.choice((None, *AGENTS)),
            not_before=chance.choice((None, None, NOW - 1, NOW + 5 * MILLISECOND, NOW + 10**12)),
        )  # fmt: skip


def suits(wish, order, now):
    """Whether a claim of `wish` may have the task that was ordered, as the contract says."""
    agent, cluster = order.affinity or ("", "")
    return (
        (wish.types is None or order.type in wish.types)
        and (wish.queues is None or order.queue in wish.queues)
        and order.tenant.locator.startswith(wish.tenant.locator)
        and agent in ("", wish.executor[0])
        and cluster in ("", wish.executor[1])
        and (order.not_before or 0) <= now
    )


@pytest.mark.parametrize(("ways", "streams"), WAYS)
def test_the_most_urgent_come_first_for_every_wish(connected, ways, streams, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ways)
    monkeypatch.setattr(candidates, "STREAMS", streams)
    nodes = list(tenants.by_ids(connected, [1, *identities.LOCATORS]).values())
    chance = random.Random(f"{ways} {streams}")
    orders = list(drawn(nodes, chance, 120))
    made = enqueueing.enqueue(connected, orders, NOW)
    known = list(zip([one.id for one in made], orders, strict=True))
    wishes = list(product(EXECUTORS, nodes, NAMES, NAMES))
    for now in (NOW, NOW + 5 * MILLISECOND):
        for executor, node, queues, types in chance.sample(wishes, 40):
            wish, wanted = Wish(executor, node, queues, types), chance.choice((1, 7, 100))
            right = [(-order.priority.code, number) for number, order in known
                     if suits(wish, order, now)]  # fmt: skip
            right = [number for _, number in sorted(right)][:wanted]
            assert candidates.candidates(connected, wish, wanted, now) == right, (wish, wanted)


def test_what_has_come_of_time_is_seen_however_much_else_there_is(connected, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ((0, 1),))
    root = tenants.by_ids(connected, [1])[1]
    enqueueing.enqueue(connected, [Order(root, "x", None) for _ in range(5)], NOW)
    late = Order(root, "x", None, priority=Priority.HIGH, not_before=NOW + 10 * MILLISECOND)
    [made] = enqueueing.enqueue(connected, [late], NOW)
    wish = Wish(("a", ""), root)
    [first] = claiming.claim(connected, wish, 1, NOW + 9 * MILLISECOND)
    [second] = claiming.claim(connected, wish, 1, NOW + 10 * MILLISECOND)
    assert first.id != made.id
    assert second.id == made.id


def test_of_many_that_come_of_time_at_once_the_most_urgent_come_first(connected):
    """Also where nobody does upkeep, and whatever others wait for."""
    nodes = list(tenants.by_ids(connected, [1, *identities.LOCATORS]).values())
    chance, now = random.Random(5), NOW + MILLISECOND
    orders = [replace(order, not_before=now) for order in drawn(nodes, chance, 400)]
    made = enqueueing.enqueue(connected, orders, NOW)
    known = list(zip([one.id for one in made], orders, strict=True))
    for executor, node, queues, types in chance.sample(
        list(product(EXECUTORS, nodes, NAMES, NAMES)), 20
    ):
        wish, wanted = Wish(executor, node, queues, types), chance.choice((1, 7, 100))
        right = [(-order.priority.code, number) for number, order in known
                 if suits(wish, order, now)]  # fmt: skip
        right = [number for _, number in sorted(right)][:wanted]
        assert candidates.candidates(connected, wish, wanted, now) == right, (wish, wanted)


def repeated(connected, count):
    """Claims of one queue by a partner of whom others wait as well, and how they must go."""
    [root, one, *_] = tenants.by_ids(connected, [1, *identities.LOCATORS]).values()
    chance = random.Random(count)
    orders = list(drawn([root, one], chance, count))
    made = enqueueing.enqueue(connected, orders, NOW)
    wish = Wish(("a", "c"), one, ("x",))
    waiting = [(-order.priority.code, task.id) for task, order in zip(made, orders, strict=True)
               if suits(wish, order, NOW)]  # fmt: skip
    return wish, [number for _, number in sorted(waiting)]


@pytest.mark.parametrize("trusted", [1, 3, 1000])
def test_a_way_that_told_changes_no_answer(connected, trusted, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ((0, 1), (1, 3), (4, 9)))
    monkeypatch.setattr(candidates, "TRUSTED", trusted)
    wish, right = repeated(connected, 400)
    taken = []
    while held := claiming.claim(connected, wish, 1, NOW):
        taken += [one.id for one in held]
    assert taken == right
    assert len(right) > 5


def test_ways_that_cannot_tell_are_not_tried_for_every_claim(connected, monkeypatch):
    monkeypatch.setattr(candidates, "WAYS", ((0, 1), (99, 99)))
    tried, walk = [], candidates.Search.walk
    monkeypatch.setattr(candidates.Search, "walk", lambda *some: tried.append(0) or walk(*some))
    wish, _ = repeated(connected, 40)
    urgent = Order(tenants.by_ids(connected, [1])[1], "y", None, "x", priority=Priority.HIGH)
    other = Order(wish.tenant, "y", None, "y", priority=Priority.HIGH)
    enqueueing.enqueue(connected, [urgent, other], NOW)
    for _ in range(candidates.TRUSTED):
        assert candidates.candidates(connected, wish, 1, NOW)
    once = len(tried)
    assert candidates.candidates(connected, wish, 1, NOW)
    assert 0 < once < len(tried) <= 2 * once
