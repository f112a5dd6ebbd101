"""The page at /docs, used in a real browser as a newcomer uses it."""

import json
import re
import shutil
import subprocess

import pytest
import requests
from engines import USED
from services import running

pytestmark = pytest.mark.xdist_group("page")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
)  # fmt: skip
BASE = "/api/task_manager/v2"


@pytest.fixture(scope="module")
def service(sqlite_engine, tmp_path_factory):
    """What `make run` starts in an empty folder."""
    with running(sqlite_engine.blank(), tmp_path_factory.mktemp("page"), "run") as started:
        yield started


@pytest.fixture(scope="module")
def browser(pytestconfig):
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        pytestconfig.stash[USED]["browser"] = "NOT TESTED: no Chromium"
        pytest.skip("no Chromium: install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=found, args=list(FLAGS))
        pytestconfig.stash[USED]["browser"] = f"Chromium {opened.version}"
        yield opened
        opened.close()


@pytest.fixture
def page(browser, service):
    """A page of the service; nothing may come from elsewhere, and nothing may go wrong on it."""
    context = browser.new_context(base_url=service.url, viewport={"width": 1280, "height": 900})
    opened, wrong = context.new_page(), []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on(
        "request", lambda asked: wrong.append(asked.url) if is_foreign(asked.url, service) else None
    )
    opened.goto("/")
    opened.wait_for_selector(".opblock")
    yield opened
    context.close()
    assert wrong == []


def is_foreign(url, service):
    return not url.startswith((service.url, "data:", "blob:"))


def credentials(service):
    """What the service announced -> client, secret, login, password."""
    told = "\n".join(service.told)
    return re.search(r"client +(\S+) +secret (\S+)\n +user +(\S+) +password (\S+)", told).groups()


def authorize(page, grant, fields):
    """Fill in the form of `grant` and get a token."""
    page.click(".btn.authorize")
    form = page.locator(".auth-container > div > div", has_text=f"Flow: {grant}").last
    for name, value in fields.items():
        form.locator(f"input[data-name={name}]").fill(value)
    form.get_by_role("button", name="Apply given OAuth2 credentials").click()
    form.get_by_role("button", name="Remove authorization").or_(form.locator(".errors")).wait_for()
    assert form.locator(".errors").count() == 0, form.locator(".errors").inner_text()
    page.locator(".modal-ux button.close-modal").click()


def tried(page, path, **parameters):
    """Open the GET of `path`, try it with `parameters` -> status, what was answered."""
    block = page.locator(".opblock-get", has=page.locator(f"[data-path='{BASE}{path}']"))
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    for name, value in parameters.items():
        block.locator(f"tr[data-param-name='{name}'] input").first.fill(value)
    with page.expect_response(lambda answer: BASE in answer.url) as waited:
        block.get_by_role("button", name="Execute").click()
    block.locator(".live-responses-table").wait_for()
    block.locator(".opblock-summary-control").click()
    return waited.value.status, waited.value.json()


def test_a_client_authorizes_and_tries_all_four_reads(page, service):
    client, secret, _, _ = credentials(service)
    authorize(page, "clientCredentials", {"clientId": client, "clientSecret": secret})
    status, tasks = tried(page, "/tasks")
    assert status == 200
    assert tasks["items"]
    status, activities = tried(page, "/activities")
    assert status == 200
    assert activities["items"]
    status, task = tried(page, "/tasks/{task_id}", task_id=tasks["items"][0]["idString"])
    assert (status, task["id"]) == (200, tasks["items"][0]["id"])
    one = activities["items"][0]
    status, activity = tried(page, "/activities/{activity_id}", activity_id=one["idString"])
    assert (status, activity["id"]) == (200, one["id"])


def test_a_user_authorizes_with_nothing_but_login_and_password(page, service):
    _, _, login, password = credentials(service)
    authorize(page, "password", {"username": login, "password": password})
    status, tasks = tried(page, "/tasks")
    assert status == 200
    assert tasks["items"]


def test_the_curl_that_is_printed_lists_tasks(service):
    line = next(line for line in service.told if line.lstrip().startswith("curl "))
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True)
    assert len(json.loads(done.stdout)["items"]) == 3


def test_no_more_than_fifteen_lines_are_printed(service):
    assert len(service.told) <= 15


def test_the_document_names_no_address(service):
    document = requests.get(f"{service.url}/openapi.json", timeout=10).json()
    assert all(server["url"].startswith("/") for server in document.get("servers", []))
    assert service.url not in json.dumps(document)


def test_the_credentials_are_kept_for_their_owner_alone(service):
    _, secret, _, _ = credentials(service)
    (kept,) = (service.log.parent / "instance").glob("demo-*.json")
    assert kept.stat().st_mode & 0o777 == 0o600
    assert json.loads(kept.read_text())["client_secret"] == secret
