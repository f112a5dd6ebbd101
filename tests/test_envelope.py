"""What every answer carries, whatever was asked and however it ended; and what probes are told."""

import re

import pytest

from app import create_app
from app.repository.maintenance import schema
from app.service import service_of

BASE = "/api/task_manager/v2"
ANSWERS = (
    ("GET", "/", 302),
    ("GET", "/docs", 200),
    ("GET", "/docs/static/swagger-ui-bundle.js", 200),
    ("GET", "/docs/static/swagger-ui.css", 200),
    ("GET", "/docs/static/docs.js", 200),
    ("GET", "/favicon.ico", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/api/2/idp/jwks", 200),
    ("GET", "/.well-known/oauth-authorization-server", 200),
    ("POST", "/api/2/idp/token", 400),
    ("GET", f"{BASE}/tasks", 401),
    ("GET", f"{BASE}/tasks/1", 401),
    ("GET", "/nowhere", 404),
    ("GET", "/docs/static/../../config.py", 404),
    ("GET", f"{BASE}//tasks", 404),
    ("GET", f"{BASE}/tasks//1", 404),
    ("GET", f"{BASE}/tasks/", 404),
    ("DELETE", "/healthz", 405),
)
PROTECTIONS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PAGES = ("/", "/docs", "/favicon.ico")


def service(url, folder):
    return create_app(
        {
            "TASKS_DATABASE_URL": url,
            "TASKS_INSTANCE_PATH": str(folder),
            "TASKS_SECRET_KEY": "x" * 32,
        }
    )


@pytest.fixture
def app(engine, tmp_path):
    made = service(engine, tmp_path)
    yield made
    service_of(made).database.close()


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_is_protected_and_has_an_id(app, method, path, status):
    answer = app.test_client().open(path, method=method)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in PROTECTIONS} == PROTECTIONS
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    is_page = path in PAGES or path.startswith("/docs/")
    assert ("script-src 'self'" in policy) == is_page
    answer.close()


@pytest.mark.parametrize("path", ["/openapi.json", "/healthz", f"{BASE}/tasks", "/nowhere"])
def test_what_the_service_answers_is_not_kept_by_caches(app, path):
    assert app.test_client().get(path).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path", "_status"), ANSWERS)
def test_json_is_one_line(app, method, path, _status):
    with app.test_client().open(path, method=method) as answer:
        if "json" in answer.content_type:
            assert b"\n" not in answer.data
            assert b"\r" not in answer.data


@pytest.mark.parametrize("given", ["a", "A-z_0.9", "x" * 128])
def test_a_sane_request_id_is_echoed(app, given):
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert answer.headers["X-Request-Id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a;b", "é", "a/b", "<x>"])
def test_another_request_id_is_replaced(app, given):
    answer = app.test_client().get("/healthz", headers={"X-Request-Id": given})
    assert re.fullmatch("[0-9a-f]{32}", answer.headers["X-Request-Id"])


def test_the_page_names_nothing_from_elsewhere(app):
    with app.test_client().get("/docs") as answer:
        assert not re.search(r"""(?:src|href)=["'](?!/)""", answer.text)
        assert not re.search(r"<script>|<style|\son\w+=|style=", answer.text)


def test_a_probe_for_life_asks_no_database(tmp_path):
    app = service("mysql://nobody:x@127.0.0.1:1/nothing", tmp_path)
    assert app.test_client().get("/healthz").status_code == 200


def check_not_ready(answer):
    assert answer.status_code == 503
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) > 0


def test_without_its_database_the_service_is_not_ready(tmp_path):
    app = service("mysql://nobody:x@127.0.0.1:1/nothing", tmp_path)
    check_not_ready(app.test_client().get("/readyz"))


def test_before_its_migrations_the_service_is_not_ready(blank, tmp_path):
    app = service(blank, tmp_path)
    database = service_of(app).database
    check_not_ready(app.test_client().get("/readyz"))
    schema.upgrade(database)
    assert app.test_client().get("/readyz").status_code == 200
    database.close()


def test_while_a_newer_version_takes_over_the_old_one_goes_on(engine, tmp_path):
    app = service(engine, tmp_path)
    database = service_of(app).database
    schema.runner(database).History.create(name="9999_add_of_the_newer_version")
    assert schema.current(database)
    assert app.test_client().get("/readyz").status_code == 200
    database.close()
