"""Pages show tenants as they are now, though most of them are remembered from the page before."""

from pathlib import Path
from typing import Any

import reading
import worlds

from app.repository import tenants
from app.repository.maintenance import removing
from app.service import service_of

PAGE = f"{reading.BASE}/tasks?lod=short"


def names(http: Any, token: dict[str, str]) -> dict[str, str | None]:
    items = http.get(PAGE, headers=token).json["items"]
    return {item["tenant"]["id"]: item["tenant"].get("name") for item in items}


def test_a_renamed_tenant_has_its_new_name_at_once(engine: str, tmp_path: Path) -> None:
    service, other = reading.served(engine, tmp_path), reading.served(engine, tmp_path)
    reading.load(service, worlds.world(1), tmp_path)
    http, token = service.test_client(), {"Authorization": reading.bearer(service)}
    before = names(http, token)
    assert before == names(http, token)
    elsewhere = service_of(other).database
    for number in list(before)[:3]:
        node = tenants.by_ids(elsewhere, [int(number)])[int(number)]
        tenants.rename(elsewhere, node, f"renamed {number}")
        assert names(http, token)[number] == f"renamed {number}"
    after = names(http, token)
    assert {key: after[key] for key in list(before)[3:]} == {
        key: before[key] for key in list(before)[3:]
    }
    for app in (service, other):
        service_of(app).database.close()


def test_the_number_of_a_removed_tenant_is_never_given_to_another(
    engine: str, tmp_path: Path
) -> None:
    app = reading.served(engine, tmp_path)
    database = service_of(app).database
    root = tenants.root(database)
    first, gone = (tenants.create(database, name, root) for name in ("stays", "goes"))
    removing.delete(database, gone)
    assert tenants.create(database, "comes", first).id > gone.id
    database.close()
