"""A caller of the writing half: an application with real tokens, and short words for its calls."""

import json
from functools import cache
from typing import Any
from uuid import UUID

import identities
from identities import ADMIN, CONSUMER, ISSUER, VIEWER

from app import create_app
from app.models import Tenant
from app.repository import credentials, signing_keys
from app.service import service_of
from app.vocabulary import Scope

BASE = "/api/task_manager/v2"
SECOND = 10**9
ROLES = {"viewer": VIEWER, "issuer": ISSUER, "consumer": CONSUMER, "admin": ADMIN}


class Writer:
    """An application on the database at `url`, and its callers."""

    def __init__(self, url: str, folder: Any, **settings: Any) -> None:
        given = {
            "TASKS_DATABASE_URL": url,
            "TASKS_SECRET_KEY": identities.SECRET,
            "TASKS_INSTANCE_PATH": str(folder),
            **settings,
        }
        self.app = create_app(given)
        self.database = service_of(self.app).database
        self.http = self.app.test_client()
        self.tokens: dict[tuple[str, int], str] = {}
        self.fill()

    def fill(self) -> None:
        with self.database.write_transaction():
            for number, (uuid, parent, branch, locator) in identities.LOCATORS.items():
                row = {"id": number, "uuid": uuid.bytes, "parent_id": parent, "branch_id": branch,
                       "locator": locator, "name": locator}  # fmt: skip
                self.database.change(Tenant.insert(row))
            signing_keys.insert(self.database, stored_key())

    def bearer(self, role: str, tenant: int = 2) -> str:
        if (role, tenant) not in self.tokens:
            scopes = [ROLES[word] for word in role.split("+")]
            client = credentials.create_client(self.database, role, tenant, scopes, 1)
            answer = self.http.post(
                "/api/2/idp/token", data={"grant_type": "client_credentials"}, auth=client
            )
            self.tokens[role, tenant] = f"Bearer {answer.json['access_token']}"
        return self.tokens[role, tenant]

    def call(
        self, method: str, path: str, body: Any = None, lease: str | None = None,
        role: str = "admin", tenant: int = 2, **options: Any,
    ) -> Any:  # fmt: skip
        """The answer to a call; `body`: JSON, or bytes that go out as they are."""
        headers = {"Authorization": self.bearer(role, tenant), **options.pop("headers", {})}
        if lease is not None:
            headers["Lease-Token"] = lease
        if body is not None:
            raw = body if isinstance(body, bytes) else json.dumps(body).encode()
            options = {"content_type": "application/json", "data": raw, **options}
        return self.http.open(f"{BASE}/{path}", method=method, headers=headers, **options)

    def enqueue(self, **body: Any) -> Any:
        answer = self.call("POST", "tasks?lod=debug", {"type": "t", **body}, role="issuer")
        assert answer.status_code in (200, 201), answer.text
        return answer.json

    def claim(self, limit: int = 1, executor: Any = None, **body: Any) -> list[Any]:
        asked = {"executor": executor or {"id": "a1"}, "limit": limit, **body}
        answer = self.call("POST", "tasks/claim", asked, role="consumer")
        assert answer.status_code == 200, answer.text
        return list(answer.json["items"])

    def held(self, **body: Any) -> tuple[int, str]:
        """A new task that is claimed -> its number and lease."""
        made = self.enqueue(**body)
        [item] = self.claim()
        assert item["id"] == made["id"]
        return item["id"], item["lease"]["token"]

    def step(self, task: Any, step: str, lease: str | None = None, body: Any = None,
             role: str = "consumer", **options: Any) -> Any:  # fmt: skip
        return self.call("PUT", f"tasks/{task}/{step}", body, lease, role, **options)

    def task(self, task: Any, lod: str = "debug") -> Any:
        answer = self.call("GET", f"tasks/{task}?lod={lod}&allow_deleted=true", role="viewer")
        assert answer.status_code == 200, answer.text
        return answer.json

    def close(self) -> None:
        self.database.close()


@cache
def stored_key() -> Any:
    return identities.stored_key()


def uuid_of(number: int) -> str:
    return str(UUID(int=number))


__all__ = ["Scope", "Writer"]
