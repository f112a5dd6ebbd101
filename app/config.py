"""The settings: one row each. Nobody but this module reads the environment.

Every setting is an environment variable; `NAME_FILE` names a file that holds its value instead,
which keeps secrets out of process lists. A bad value stops the start with one line.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from app.addresses import FORM, account


class BadSetting(Exception):
    """A setting has a value that cannot be used; the text is one line that names it."""


def text(value: str) -> str:
    """Any text."""
    return value


def boolean(value: str) -> bool:
    """`1`/`true` or `0`/`false`."""
    try:
        return {"1": True, "true": True, "0": False, "false": False}[value.lower()]
    except KeyError:
        raise ValueError("must be 1, true, 0 or false") from None


def whole(least: int, most: int) -> Callable[[str], int]:
    """A whole number within bounds."""

    def read(value: str) -> int:
        if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}")
        return int(value)

    return read


def one_of(*words: str) -> Callable[[str], str]:
    """One of a few words."""

    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"must be one of: {', '.join(words)}")
        return value

    return read


def database_url(value: str) -> str:
    """`sqlite:///path`, or `mysql://…` with one server or several."""
    parts = urlsplit(value)
    if parts.scheme == "mysql":
        account(value)
    elif parts.scheme != "sqlite" or parts.netloc or parts.path in ("", "/", "/:memory:"):
        raise ValueError(f"must be sqlite:///path or {FORM}")
    return value


WEB = re.compile(r"https?://[!-~]+")


def host_of(address: str) -> str:
    """The host that an http or https address names; "" where it is no such address."""
    try:
        parts = urlsplit(address)
        # A port that is none is noticed when it is asked for.
        named = bool(WEB.fullmatch(address)) and parts.port != 0
    except ValueError:
        return ""
    return parts.hostname or "" if named else ""


def public_address(value: str) -> str:
    """The address that paths are put behind, without its last slash."""
    if not host_of(value) or any(mark in value for mark in "?#@"):
        raise ValueError("must be an http:// or https:// address, without user, query or fragment")
    return value.rstrip("/")


def keys_address(value: str) -> str:
    """An https address, or plain http on loopback, to the letter; or nothing."""
    host = host_of(value)
    if value and not host:
        raise ValueError("must be an http:// or https:// address")
    if value.startswith("http://") and host not in ("127.0.0.1", "::1", "localhost"):
        raise ValueError("must be https:// (plain http is for loopback only)")
    return value


def listening_address(value: str) -> str:
    """Host and port to listen on, or nothing."""
    host, _, port = value.rpartition(":")
    if value and not (host and port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise ValueError("must be host:port, or empty")
    return value


SHORTEST = 32
"""Characters that a secret has at least."""


def secret(value: str) -> str:
    """A secret of at least 32 characters, or nothing."""
    if value and len(value) < SHORTEST:
        raise ValueError(f"must be at least {SHORTEST} characters long")
    return value


@dataclass(frozen=True)
class Setting:
    """One row: the variable's name, how it is read, its default, and a sentence for people."""

    name: str
    read: Callable[[str], Any]
    default: str
    sentence: str
    hidden: bool = False

    @property
    def attribute(self) -> str:
        """Its name in `Settings`: lower case, without the prefix."""
        return self.name.removeprefix("TASKS_").lower()


DATABASE, INSTANCE, FILE = "TASKS_DATABASE_URL", "instance", "tasks.db"
SETTINGS = (
    Setting(
        DATABASE,
        database_url,
        f"sqlite:///{INSTANCE}/{FILE}",
        "Where the data lives: `sqlite:///path` or `mysql://user:password@host:port/name`. Several "
        "hosts of one cluster are separated by commas: the first is used, the next ones while it "
        "cannot be.",
        True,
    ),
    Setting(
        "TASKS_PUBLIC_URL",
        public_address,
        "http://127.0.0.1:8080",
        "How callers reach the service: issuer and audience of its tokens.",
    ),
    Setting(
        "TASKS_SECRET_KEY",
        secret,
        "",
        "Signs page tokens and leases and encrypts the signing keys; made and kept in the "
        "instance folder when absent (not with MySQL: every server must have the same).",
        True,
    ),
    Setting(
        "TASKS_AUTH_ISSUER",
        text,
        "",
        "Issuer of an outside identity provider that replaces the built-in one.",
    ),
    Setting("TASKS_AUTH_AUDIENCE", text, "", "Audience that the outside provider's tokens name."),
    Setting(
        "TASKS_AUTH_JWKS_URL", keys_address, "", "Where the outside provider publishes its keys."
    ),
    Setting(
        "TASKS_INSTANCE_PATH",
        text,
        INSTANCE,
        "Folder for what a single server keeps: the SQLite file unless `TASKS_DATABASE_URL` names "
        "another, the generated secret.",
    ),
    Setting(
        "TASKS_PUBLIC_CLIENT",
        boolean,
        "1",
        "Whether a `password` request without client credentials acts for the built-in public "
        "client.",
    ),
    Setting(
        "TASKS_TOKEN_SECONDS",
        whole(60, 86_400),
        "7200",
        "How long an access token is good, in seconds.",
    ),
    Setting(
        "TASKS_SQLITE_SYNCHRONOUS",
        one_of("FULL", "NORMAL"),
        "FULL",
        "FULL keeps every accepted write through a power loss; NORMAL is faster and may lose the "
        "last ones.",
    ),
    Setting(
        "TASKS_DATABASE_TIMEOUT",
        whole(1, 60),
        "5",
        "Seconds that a call waits for a lock or a connection before it is answered 503.",
    ),
    Setting(
        "TASKS_QUERY_SECONDS",
        whole(1, 300),
        "5",
        "Seconds that a list or a count may take before it is given up and answered 503.",
    ),
    Setting(
        "TASKS_DATABASE_POOL", whole(1, 1_000), "20", "Connections that one process keeps to MySQL."
    ),
    Setting(
        "TASKS_WORKERS",
        whole(0, 64),
        "0",
        "Server processes; 0 is one for each processor core, 8 at most.",
    ),
    Setting(
        "TASKS_THREADS",
        whole(2, 256),
        "16",
        "Requests that one server process answers at the same time.",
    ),
    Setting(
        "TASKS_WAITING_CLAIMS",
        whole(0, 2_000),
        "160",
        "Claims that may wait for work in one server process, besides; more are answered at once.",
    ),
    Setting(
        "TASKS_REAPER",
        boolean,
        "1",
        "Whether the server processes fire timers; with 0, `flask reap --once` has to.",
    ),
    Setting(
        "TASKS_RETENTION_DAYS",
        whole(0, 36_500),
        "0",
        "Days after which completed tasks are purged for good; 0 keeps them.",
    ),
    Setting(
        "TASKS_TRUSTED_PROXIES",
        whole(0, 10),
        "0",
        "How many proxies in front set X-Forwarded-For and X-Forwarded-Proto.",
    ),
    Setting(
        "TASKS_METRICS_ADDRESS",
        listening_address,
        "127.0.0.1:9464",
        "Where `/metrics` is shown, to whoever asks: keep it private; empty: nowhere.",
    ),
    Setting(
        "TASKS_LOG_LEVEL",
        one_of("DEBUG", "INFO", "WARNING", "ERROR"),
        "INFO",
        "The least level that is logged.",
    ),
)


class Settings:
    """The values in force, as attributes named like the rows without `TASKS_`, in lower case."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        """`values`: attribute name to read value; one for every row."""
        self.__dict__.update(values)

    def __getattr__(self, name: str) -> Any:
        """Say which setting is missing rather than that an attribute is."""
        raise AttributeError(f"there is no setting {name!r}")

    @property
    def instance(self) -> Path:
        """The instance folder, absolute."""
        return Path(self.instance_path).absolute()

    @property
    def outside(self) -> bool:
        """Whether an outside identity provider replaces the built-in one."""
        return bool(self.auth_issuer)


def raw(row: Setting, given: Mapping[str, Any]) -> str:
    """What was given for `row`, from the mapping itself or from the file that `NAME_FILE` names."""
    path = given.get(f"{row.name}_FILE")
    if path and row.name not in given:
        try:
            return Path(str(path)).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(f"{row.name}_FILE cannot be read: {error.strerror}: {path}") from None
    return str(given.get(row.name, row.default))


def value_of(row: Setting, given: Mapping[str, Any]) -> Any:
    """The value of `row`. Raises BadSetting with one line that names it."""
    try:
        return row.read(raw(row, given))
    except ValueError as error:
        raise BadSetting(f"{row.name} {error}.") from None


def given(name: str) -> bool:
    """Whether the environment says something of the setting `name`."""
    return name in os.environ or f"{name}_FILE" in os.environ


def refuse_unknown(given: Mapping[str, Any]) -> None:
    """A setting given in code that no row has is a slip of the pen: BadSetting."""
    known = {row.name for row in SETTINGS} | {f"{row.name}_FILE" for row in SETTINGS}
    for name in given:
        if name.startswith("TASKS_") and name not in known:
            raise BadSetting(f"{name} is not a setting; `flask settings` lists them.")


def load(given: Mapping[str, Any] | None = None) -> Settings:
    """The settings in force: the environment's, replaced by those of `given`.

    Raises BadSetting.
    """
    refuse_unknown(given or {})
    merged: dict[str, Any] = {**os.environ, **(given or {})}
    values = {row.attribute: value_of(row, merged) for row in SETTINGS}
    if not {DATABASE, f"{DATABASE}_FILE"} & merged.keys():
        values["database_url"] = f"sqlite:///{quote(str(Path(values['instance_path'], FILE)))}"
    settings = Settings(values)
    outside = (settings.auth_issuer, settings.auth_audience, settings.auth_jwks_url)
    if any(outside) and not all(outside):
        raise BadSetting(
            "TASKS_AUTH_ISSUER, TASKS_AUTH_AUDIENCE and TASKS_AUTH_JWKS_URL belong together: "
            "give all three or none."
        )
    return settings
