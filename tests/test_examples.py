"""The example programs as real processes against a real server, on both engines."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from services import ROOT, command, environment, refused, running

from app import clock, config, database
from app.demo.crew import Crew
from app.repository import credentials
from app.vocabulary import Scope

pytestmark = pytest.mark.xdist_group("examples")
API = "/api/task_manager/v2"
PATIENCE = 60


def hear_interrupts():
    """In a new process: a suite that runs in the background may ignore Ctrl-C, and hand that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Stage:
    """A server, the credentials of an agent and of an issuer, and what they do on it."""

    def __init__(self, service, database_url):
        self.url = service.url
        connected = database.connect(config.load({"TASKS_DATABASE_URL": database_url}))
        self.known = {
            name: credentials.create_client(connected, name, 1, scopes, clock.now())
            for name, scopes in (
                ("agent", (Scope.CONSUMER,)),
                ("issue", (Scope.ISSUER, Scope.VIEWER)),
            )
        }
        connected.close()

    def start(self, name, *arguments):
        """The process of an example."""
        client_id, secret = self.known[name]
        told = {"TASKS_URL": self.url, "CLIENT_ID": client_id, "CLIENT_SECRET": secret}
        command = [sys.executable, str(ROOT / "examples" / f"{name}.py"), *arguments]
        return subprocess.Popen(
            command, env={**environment(), **told}, stdout=subprocess.PIPE, text=True,
            preexec_fn=hear_interrupts,
        )  # fmt: skip

    @contextmanager
    def agent(self):
        """An agent at work; it ends on SIGTERM, and ends well."""
        process = self.start("agent", "tester")
        try:
            yield process
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()
            process.communicate()

    def issue(self, *arguments):
        """What the issuer prints, to its end."""
        process = self.start("issue", *arguments)
        return process.communicate(timeout=PATIENCE)[0].splitlines()

    def interrupted(self, *arguments):
        """What the issuer prints when Ctrl-C comes while the agent is at work."""
        with self.start("issue", *arguments) as process:
            assert process.stdout
            told = [next(line for line in process.stdout if "started 1/" in line)]
            process.send_signal(signal.SIGINT)
            return [*told, *process.communicate(timeout=PATIENCE)[0].splitlines()]

    def call(self, method, path, **options):
        """What the service answers to the issuer."""
        form = {"grant_type": "client_credentials"}
        answer = requests.post(
            f"{self.url}/api/2/idp/token", data=form, auth=self.known["issue"], timeout=PATIENCE
        )
        headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        where = f"{self.url}{API}/{path}"
        return requests.request(method, where, headers=headers, timeout=PATIENCE, **options).json()

    def shown(self, task, lod="debug"):
        """The task as a viewer sees it."""
        return self.call("GET", f"tasks/{task}", params={"lod": lod})

    def until(self, task, state):
        """The task, once it is in `state`."""
        deadline = time.monotonic() + PATIENCE
        while (found := self.shown(task))["state"] != state and time.monotonic() < deadline:
            time.sleep(0.1)
        return found


@pytest.fixture
def stage(engine, tmp_path):
    settings = {"TASKS_TOKEN_SECONDS": "60", "TASKS_WORKERS": "2"}
    with running(engine, tmp_path, **settings) as service:
        yield Stage(service, engine)


def test_a_task_is_enqueued_carried_out_cancelled_and_handed_back(stage):
    with stage.agent() as agent:
        told = stage.issue("--argument", '{"seconds": 0.5}')
        assert told[-1] == "ok"
        assert told[-2].endswith("completed 10/10")

        assert stage.interrupted("--argument", '{"seconds": 30}')[-1] == "cancelled"

        [task] = stage.issue("--argument", '{"seconds": 30}', "--no-watch")
        stage.until(task, "started")
        agent.send_signal(signal.SIGTERM)
        assert agent.wait(PATIENCE) == 0
    back = stage.until(task, "enqueued")
    [attempt] = back["attempts"]
    assert (attempt["outcome"], attempt["reason"]) == ("requeued", "the agent was stopped")


def test_a_heartbeat_tells_of_a_cancellation(stage):
    """Ten minutes before the next progress would."""
    order = {"type": "long", "heartbeatInterval": 1, "argument": {"seconds": 6_000}}
    with stage.agent():
        task = stage.call("POST", "tasks", json=order)["id"]
        stage.until(task, "started")
        stage.call("PUT", f"tasks/{task}/cancelRequested", json={})
        assert stage.until(task, "completed")["result"] == {"code": "cancelled"}


def test_an_agent_outlives_work_that_fails(stage):
    with stage.agent():
        for odd in ('"quickly"', "[1]", '{"seconds": "many"}', '{"seconds": 1e99}'):
            [task] = stage.issue("--argument", odd, "--no-watch")
            done = stage.until(task, "completed")
            assert done["result"]["code"] == "error"
            assert {attempt["outcome"] for attempt in done["attempts"]} == {"failed"}
        assert stage.issue("--argument", '{"seconds": 0.1}')[-1] == "ok"


def test_the_same_uuid_is_the_same_task(stage):
    again = ("--uuid", "8f1b0d4e-54a5-4f3d-9c0e-0f8f6f1f8a11", "--no-watch")
    assert stage.issue(*again) == stage.issue(*again)


def test_an_expired_token_is_renewed_once_on_401(stage, monkeypatch):
    client_id, secret = stage.known["issue"]
    for name, value in (
        ("TASKS_URL", stage.url), ("CLIENT_ID", client_id), ("CLIENT_SECRET", secret)
    ):  # fmt: skip
        monkeypatch.setitem(os.environ, name, value)
    monkeypatch.syspath_prepend(str(ROOT / "examples"))
    monkeypatch.delitem(sys.modules, "session", raising=False)
    import session

    with session.Session() as http:
        http.auth.renew()
        good, http.auth.text = http.auth.text, "eyJhbGciOiJSUzI1NiJ9.e30.expired"
        assert http.get(f"{session.API}/tasks").json()["items"] == []
        assert http.auth.text != good
        monkeypatch.setattr(http.auth, "renew", lambda: None)
        http.auth.text = "still.not.good"
        with pytest.raises(requests.HTTPError, match="401"):
            http.get(f"{session.API}/tasks")


def test_the_demonstration_s_crew_works_and_leaves_nothing_behind(stage):
    given = {}
    for prefix, (client_id, secret) in (
        ("agent_", stage.known["agent"]), ("", stage.known["issue"])
    ):  # fmt: skip
        given |= {f"{prefix}client_id": client_id, f"{prefix}client_secret": secret}
    assert Crew(stage.url, 2, {"client_id": "of an older demonstration"}).agents == 0
    crew = Crew(stage.url, 1, given)
    crew.begin()
    try:
        assert stage.issue("--argument", '{"seconds": 0.1}')[-1] == "ok"
        programs = children(crew.process.pid)
        assert len(programs) == 2
        # A terminal's Ctrl-C is the server's affair: it would meet them while they start.
        assert all(os.getpgid(one) != os.getpgrp() for one in (crew.process.pid, *programs))
    finally:
        crew.end()
    assert [pid for pid in programs if Path(f"/proc/{pid}").exists()] == []


def children(process):
    """The processes that `process` has started."""
    return [
        int(pid) for pid in Path(f"/proc/{process}/task/{process}/children").read_text().split()
    ]


@pytest.mark.parametrize("agents", ["-1", "9", "two", "٢"])
def test_a_number_of_agents_that_is_none_is_an_error(agents):
    status, said = refused(*command("run", f"--agents={agents}"))
    assert status == 1
    assert said == [f"error: AGENTS must be a whole number from 0 to 8, not '{agents}'"]


@pytest.mark.parametrize("name", ["agent", "issue"])
def test_an_example_is_read_in_two_minutes(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) <= 80
