"""Settings that are addresses: what is taken, and what stops the start."""

from urllib.parse import unquote, urlsplit

import pytest

from app.config import BadSetting, load

PUBLIC = "TASKS_PUBLIC_URL"
OUTSIDE = {"TASKS_AUTH_ISSUER": "https://idp.example.com/", "TASKS_AUTH_AUDIENCE": "tasks"}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://tasks.example.com", "https://tasks.example.com"),
        ("https://tasks.example.com/", "https://tasks.example.com"),
        ("http://[::1]:8080/tasks/", "http://[::1]:8080/tasks"),
    ],
)
def test_the_public_address_is_kept_without_its_last_slash(given, kept):
    assert load({PUBLIC: given}).public_url == kept


@pytest.mark.parametrize(
    "given",
    ["", "somewhere", "ftp://x", "http://", "http://x/?a=1", "http://x/#a", "http://x y", "http://x:a",
     "http://x:70000", "http://[::1", "https://a:b@x", "https://x/\n"],
)  # fmt: skip
def test_a_public_address_that_no_caller_could_use_is_named(given):
    with pytest.raises(
        BadSetting, match=rf"^{PUBLIC} must be an http:// or https:// address[^\n]*$"
    ):
        load({PUBLIC: given})


@pytest.mark.parametrize("folder", ["instance", "/srv/tasks", "/srv/50% #1?", "."])
def test_the_file_is_in_the_instance_folder_unless_an_address_says_otherwise(folder, monkeypatch):
    monkeypatch.delenv("TASKS_DATABASE_URL", raising=False)
    given = {"TASKS_INSTANCE_PATH": folder}
    file = f"{folder}/tasks.db".removeprefix("./")
    assert unquote(urlsplit(load(given).database_url).path[1:]) == file
    elsewhere = "sqlite:///elsewhere.db"
    assert load({**given, "TASKS_DATABASE_URL": elsewhere}).database_url == elsewhere


@pytest.mark.parametrize("given", ["https://idp.example.com/keys/", "https://x/keys?policy=a"])
def test_the_providers_addresses_are_kept_to_the_letter(given):
    kept = load({**OUTSIDE, "TASKS_AUTH_JWKS_URL": given})
    assert kept.auth_jwks_url == given
    assert kept.auth_issuer == OUTSIDE["TASKS_AUTH_ISSUER"]


@pytest.mark.parametrize("given", ["https://x y/keys", "https://x:a/keys", "https://[::1/keys"])
def test_keys_that_could_never_be_fetched_are_named(given):
    with pytest.raises(BadSetting, match=r"^TASKS_AUTH_JWKS_URL must be "):
        load({**OUTSIDE, "TASKS_AUTH_JWKS_URL": given})
