"""What Prometheus and the log see of a service: requests, steps, queues; and who may look."""

import json
import os
import re
import signal
import socket
import time
from contextlib import closing
from pathlib import Path

import mariadb
import pytest
import requests
from services import command, refused, running

from app import clock, config, database
from app.observing import booth
from app.repository import credentials
from app.vocabulary import Scope

pytestmark = pytest.mark.xdist_group("metrics")
API = "/api/task_manager/v2"


class Watched:
    """A service with three workers, somebody who may do all, and its metrics."""

    def __init__(self, service, metrics_url, database_url):
        self.service, self.metrics_url = service, metrics_url
        connected = database.connect(config.load({"TASKS_DATABASE_URL": database_url}))
        scopes = (Scope.ADMIN, Scope.ISSUER, Scope.CONSUMER, Scope.VIEWER)
        known = credentials.create_client(connected, "all", 1, scopes, clock.now())
        connected.close()
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{service.url}/api/2/idp/token", data=form, auth=known, timeout=30)
        self.token = answer.json()["access_token"]

    def call(self, method, path, lease="", **body):
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {"Lease-Token": lease} if lease else {}
        where = f"{self.service.url}{API}{path}"
        return requests.request(method, where, json=body, headers=headers, timeout=30)

    def metrics(self):
        """Name with labels -> value."""
        text = requests.get(f"{self.metrics_url}/metrics", timeout=30).text
        lines = (line.rpartition(" ") for line in text.splitlines() if line[0] != "#")
        return {name: float(value) for name, _, value in lines}

    def steps(self):
        """The log's lines that tell of steps."""
        found = map(json.loads, self.service.logged().splitlines())
        return [line for line in found if line["logger"] == "app.steps"]


@pytest.fixture
def watched(engine, tmp_path):
    address = f"127.0.0.1:{mariadb.free_port()}"
    with running(engine, tmp_path, TASKS_WORKERS="3", TASKS_METRICS_ADDRESS=address) as service:
        yield Watched(service, f"http://{address}", engine)


def test_every_process_counts_and_every_step_has_a_line(watched):
    ids = [
        watched.call("POST", "/tasks", type="t", queue=queue).json()["id"]
        for queue in ("one", "one", "two", "two")
    ]
    wish = {"executor": {"id": "agent-7"}, "limit": 3}
    first, second, third = watched.call("POST", "/tasks/claim", **wish).json()["items"]
    lease = first["lease"]["token"]
    assert watched.call("PUT", f"/tasks/{first['id']}/started", lease).status_code == 200
    done = {"result": {"code": "warning"}}
    assert watched.call("PUT", f"/tasks/{first['id']}/completed", lease, **done).ok
    assert watched.call("PUT", f"/tasks/{first['id']}/heartbeat", lease).status_code == 409
    assert watched.call("PUT", f"/tasks/{second['id']}/enqueued", reason="r").ok
    assert watched.call("GET", "/nowhere").status_code == 404

    seen = watched.metrics()
    assert seen["tasks_enqueued_total"] == 4
    assert seen["tasks_claimed_total"] == 3
    assert seen['tasks_completed_total{result="warning"}'] == 1
    assert seen['tasks_requeued_total{cause="enqueued"}'] == 1
    assert seen['tasks_leases_lost_total{step="heartbeat"}'] == 1
    assert seen["tasks_reaper_turns_total"] >= 1
    labels = f'{{method="POST",route="{API}/tasks",status="201"}}'
    assert seen[f"tasks_http_request_seconds_count{labels}"] == 4
    assert seen['tasks_http_request_seconds_count{method="GET",route="",status="404"}'] == 1
    counted = {
        (queue, state): count
        for name, count in seen.items()
        for queue, state in re.findall(r'tasks_tasks{queue="(.*)",state="(.*)"}', name)
        if count
    }
    assert counted == {
        ("one", "completed"): 1, ("one", "enqueued"): 1, ("two", "assigned"): 1,
        ("two", "enqueued"): 1,
    }  # fmt: skip
    assert 0 < seen['tasks_oldest_claimable_seconds{queue="two"}'] < 60

    mine = [line for line in watched.steps() if line.get("task") == first["id"]]
    assert [
        (line["message"], line["step"], line.get("state"), line.get("attempt"))
        for line in mine
    ] == [
        ("stepped", "enqueue", "enqueued", 0), ("stepped", "claim", "assigned", 1),
        ("stepped", "started", "started", 1), ("stepped", "completed", "completed", 1),
        ("lease lost", "heartbeat", None, None),
    ]  # fmt: skip
    assert [line.get("executor") for line in mine[1:4]] == ["agent-7"] * 3
    assert mine[3]["result"] == "warning"
    assert all(line["requestId"] for line in mine)
    [back] = [line for line in watched.steps() if line.get("reason")]
    assert (back["task"], back["reason"]) == (second["id"], "r")
    assert set(ids) == {first["id"], second["id"], third["id"], *(set(ids) & {ids[3], ids[1]})}


def test_metrics_are_not_open_beside_the_api(watched):
    assert requests.get(f"{watched.service.url}/metrics", timeout=30).status_code == 404
    assert requests.get(f"{watched.metrics_url}/", timeout=30).status_code == 404
    assert requests.get(f"{watched.metrics_url}/healthz", timeout=30).status_code == 404


def test_what_killed_processes_counted_stays_and_the_folder_goes(sqlite_engine, tmp_path):
    address, url = f"127.0.0.1:{mariadb.free_port()}", sqlite_engine.fresh()
    with running(url, tmp_path, TASKS_WORKERS="2", TASKS_METRICS_ADDRESS=address) as service:
        watched = Watched(service, f"http://{address}", url)
        for _ in range(3):
            assert watched.call("POST", "/tasks", type="t").status_code == 201
        pids = workers(service.process.pid)
        folder = folder_of(pids[0])
        for worker in pids:
            os.kill(worker, signal.SIGKILL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                assert watched.metrics()["tasks_enqueued_total"] == 3
                break
            except requests.ConnectionError:
                time.sleep(0.1)
    assert not folder.exists()


def workers(master):
    """The processes that `master` has started."""
    return [int(pid) for pid in Path(f"/proc/{master}/task/{master}/children").read_text().split()]


def folder_of(worker):
    """Where a process counts."""
    mapped = Path(f"/proc/{worker}/maps").read_text()
    return Path(re.search(rf"/\S*/{booth.PREFIX}[^/]*", mapped)[0])


def test_the_folder_of_a_server_that_was_killed_is_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(booth, "SHARED_MEMORY", str(tmp_path))
    first, second = booth.Booth(), booth.Booth()
    for one in (first, second):
        one.open(f"127.0.0.1:{mariadb.free_port()}", insisted=True)
    assert first.folder.exists()
    first.alive.close()
    third = booth.Booth()
    third.open(f"127.0.0.1:{mariadb.free_port()}", insisted=True)
    assert set(tmp_path.iterdir()) == {second.folder, third.folder}
    for one in (first, second, third):
        one.close()


def test_an_address_that_was_asked_for_and_is_taken_is_an_error(sqlite_engine, tmp_path):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        status, said = refused(
            *command("serve"), TASKS_METRICS_ADDRESS=address,
            TASKS_DATABASE_URL=sqlite_engine.fresh(), TASKS_INSTANCE_PATH=str(tmp_path),
        )  # fmt: skip
    assert status == 1
    words = "Address already in use"
    assert said == [f"error: TASKS_METRICS_ADDRESS: cannot listen on {address}: {words}"]


def test_the_usual_address_may_be_taken(tmp_path, caplog):
    opened = booth.Booth()
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        opened.open(f"127.0.0.1:{taken.getsockname()[1]}", insisted=False)
    assert "no metrics" in caplog.text
    assert (opened.socket, opened.folder) == (None, None)
    opened.serve(None)
    opened.close()


@pytest.mark.parametrize("address", ["9464", "host:", "127.0.0.1:0", "h:65536", ":1", "h:x"])
def test_an_address_that_is_none_is_an_error(address):
    with pytest.raises(config.BadSetting, match="TASKS_METRICS_ADDRESS must be host:port"):
        config.load({"TASKS_METRICS_ADDRESS": address})
