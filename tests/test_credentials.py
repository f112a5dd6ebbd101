"""Clients and users as they are kept: made, found, changed and removed."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from identities import ADMIN, CONSUMER, VIEWER, House

from app.errors import BadRequest, NameTaken, NotFound
from app.repository import credentials
from app.repository.credentials import ClientAccount, digest_of


@pytest.fixture
def house(engine: str) -> Iterator[House]:
    made = House(engine)
    yield made
    made.close()


def test_it_works(house: House) -> None:
    made, secret = credentials.create_client(house.database, "backup", 2, [CONSUMER, VIEWER], 5)
    kept = ClientAccount(made, "backup", 2, (VIEWER, CONSUMER), digest_of(secret), 5, None)
    assert credentials.client(house.database, made) == kept
    assert credentials.clients(house.database) == [kept]
    assert len(secret) == 43


def test_accounts_are_listed_in_the_order_in_which_they_were_made(house: House) -> None:
    for moment, name in enumerate(("zoe", "ann", "bob")):
        credentials.create_client(house.database, name, 1, [VIEWER], moment)
        credentials.create_user(house.database, name, "pw", 1, [ADMIN], moment)
    assert [row.name for row in credentials.clients(house.database)] == ["zoe", "ann", "bob"]
    assert [row.login for row in credentials.users(house.database)] == ["zoe", "ann", "bob"]


def test_logins_that_differ_in_anything_are_two(house: House) -> None:
    for login in ("ann", "Ann", "änn", "ánn"):
        house.person(login=login)
    assert len(credentials.users(house.database)) == 4
    assert credentials.user(house.database, "ANN") is None
    assert credentials.user(house.database, "ann ") is None


@pytest.mark.parametrize("name", ["", " ann", "ann ", "a\nb", "a\0b", "x" * 257, "\u2028"])
def test_a_name_that_nobody_could_type_is_refused(house: House, name: str) -> None:
    house.person(login="old")
    made, _ = house.program()
    acts: list[Callable[[], Any]] = [
        lambda: house.person(login=name),
        lambda: credentials.create_client(house.database, name, 1, [VIEWER], 1),
        lambda: credentials.rename_client(house.database, made, name),
        lambda: credentials.rename_user(house.database, "old", name),
    ]
    for act in acts:
        with pytest.raises(BadRequest, match="printable"):
            act()


def test_an_account_needs_a_scope_and_a_password(house: House) -> None:
    with pytest.raises(BadRequest, match="scope"):
        credentials.create_client(house.database, "x", 1, [], 1)
    with pytest.raises(BadRequest, match="empty"):
        house.person(password="")
    house.person(login="ann")
    with pytest.raises(BadRequest, match="empty"):
        credentials.set_password(house.database, "ann", "")


def test_a_login_is_given_once(house: House) -> None:
    house.person(login="ann")
    house.person(login="bob")
    with pytest.raises(NameTaken, match="a user called 'ann'"):
        house.person(login="ann")
    with pytest.raises(NameTaken, match="a user called 'ann'"):
        credentials.rename_user(house.database, "bob", "ann")
    credentials.rename_user(house.database, "bob", "bob")
    assert [row.login for row in credentials.users(house.database)] == ["ann", "bob"]


CHANGES: list[tuple[Any, tuple[Any, ...]]] = [
    (credentials.rename_client, ("new",)), (credentials.disable_client, (1,)),
    (credentials.enable_client, ()), (credentials.rotate_secret, ()),
    (credentials.delete_client, ()), (credentials.rename_user, ("new",)),
    (credentials.set_password, ("new",)), (credentials.disable_user, (1,)),
    (credentials.enable_user, ()), (credentials.delete_user, ()),
]  # fmt: skip


@pytest.mark.parametrize(("act", "more"), CHANGES)
def test_who_does_not_exist_cannot_be_changed(house: House, act: Any, more: Any) -> None:
    with pytest.raises(NotFound, match=r"The (client|user) does not exist"):
        act(house.database, "nobody", *more)


def test_a_change_that_changes_nothing_is_none_the_less_done(house: House) -> None:
    made, _ = house.program()
    login = house.person()
    for _ in range(2):
        credentials.enable_client(house.database, made)
        credentials.enable_user(house.database, login)
        credentials.rename_client(house.database, made, "same")
        credentials.disable_user(house.database, login, 7)
    assert credentials.client(house.database, made).name == "same"  # type: ignore[union-attr]
    assert credentials.user(house.database, login).disabled_at == 7  # type: ignore[union-attr]
