"""The OpenAPI document, where the settings decide what it says."""

import pytest

from app import create_app
from app.service import service_of

OUTSIDE = {
    "TASKS_AUTH_ISSUER": "https://idp.example.com",
    "TASKS_AUTH_AUDIENCE": "tasks",
    "TASKS_AUTH_JWKS_URL": "https://idp.example.com/keys",
}
IDENTITY = ("/api/2/idp/token", "/api/2/idp/jwks", "/.well-known/oauth-authorization-server")


@pytest.fixture
def document(sqlite_engine, tmp_path):
    def made(**settings):
        app = create_app(
            {
                "TASKS_DATABASE_URL": sqlite_engine.fresh(),
                "TASKS_INSTANCE_PATH": str(tmp_path),
                **settings,
            }
        )
        found = app.test_client().get("/openapi.json").json
        service_of(app).database.close()
        return found

    return made


def operations(document):
    rows = [row for path in document["paths"].values() for row in path.values()]
    return [row for row in rows if "responses" in row]


def test_our_own_identity_is_described(document):
    said = document()
    assert set(IDENTITY) <= said["paths"].keys()
    assert said["components"]["securitySchemes"]["oauth2"]["type"] == "oauth2"


def test_with_an_outside_provider_a_token_is_pasted(document):
    said = document(**OUTSIDE)
    assert not set(IDENTITY) & said["paths"].keys()
    assert "identity" not in {tag["name"] for tag in said["tags"]}
    assert "make run" not in said["info"]["description"]
    assert said["components"]["securitySchemes"] == {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    }
    assert {str(each["security"]) for each in operations(said)} == {"[{'bearer': []}]"}


def test_with_an_outside_provider_the_scopes_are_still_told(document):
    listing = document(**OUTSIDE)["paths"]["/api/task_manager/v2/tasks"]["get"]
    words = listing["responses"]["403"]["description"]
    assert words.endswith(
        "one of urn:acronis.com::task_manager::admin, urn:acronis.com::task_manager::viewer."
    )
