"""compose.yaml and what it mounts: well-formed, and of one piece with the code."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from app import config
from app.addresses import account

ROOT = Path(__file__).resolve().parent.parent
DEPLOY = ROOT / "deploy"
VALUES = {"DATABASE_PASSWORD": "p", "DATABASE_ROOT_PASSWORD": "r", "TASKS_SECRET_KEY": "s" * 40,
          "PUBLIC_URL": "https://tasks.example.com", "CLIENT_ID": "c", "CLIENT_SECRET": "s",
          }  # fmt: skip
DATABASES = ["db1", "db2", "db3"]
SERVERS = ["server1", "server2"]


@pytest.fixture(scope="module")
def whole():
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def filled(text):
    """`text` with the values of the environment, as compose puts them in."""
    return re.sub(r"\$\{(\w+)[^}]*\}", lambda found: VALUES[found[1]], text)


def test_it_is_what_the_compose_specification_allows(whole):
    # The schema of the Python package docker-compose 1.29.2 (Apache License 2.0).
    schema = json.loads((ROOT / "tests" / "compose_spec.json").read_text())
    jsonschema_rs.validate(schema, whole)


def test_compose_itself_takes_it_where_it_is_here():
    command = [*compose(), "--profile", "agents", "config", "--quiet"]
    if command[0] == "--profile":
        return
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **VALUES}, capture_output=True)
    assert done.returncode == 0, done.stderr


def compose():
    """The command that is compose here; empty where there is none."""
    if found := shutil.which("docker-compose"):
        return [found]
    docker = shutil.which("docker")
    asked = [docker or "", "compose"]
    known = docker and subprocess.run([*asked, "version"], capture_output=True).returncode == 0
    return asked if known else []


def test_services_wait_for_services_that_there_are(whole):
    services = whole["services"]
    assert {*DATABASES, *SERVERS, "migrate", "agent", "proxy"} == set(services)
    for service in services.values():
        assert set(service.get("depends_on", {})) <= set(services)


def test_every_setting_is_one_that_there_is_and_good(whole):
    for name in SERVERS:
        given = {
            key: filled(value) for key, value in whole["services"][name]["environment"].items()
        }
        settings = config.load(given)
        assert [one.host for one in account(settings.database_url).servers] == DATABASES
        assert settings.public_url == VALUES["PUBLIC_URL"]


def test_what_is_mounted_is_there(whole):
    for name, service in whole["services"].items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source in whole["volumes"] or (ROOT / source).exists(), name


def test_the_image_is_made_of_what_the_build_is_given():
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    for source in " ".join(copied).split():
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_the_proxy_and_the_cluster_name_the_services():
    proxy = (DEPLOY / "nginx.conf").read_text()
    assert re.findall(r"^\s+server (\w+):8080", proxy, re.M) == SERVERS
    assert f"gcomm://{','.join(DATABASES)}" in (DEPLOY / "galera.cnf").read_text()


@pytest.mark.parametrize(
    ("node", "state", "begins"),
    [
        ("db1", None, True),
        ("db2", None, False),
        ("db1", "safe_to_bootstrap: 0", False),
        ("db3", "safe_to_bootstrap: 1", True),
    ],
)
def test_a_cluster_is_begun_by_one_alone(tmp_path, node, state, begins):
    entry = tmp_path / "docker-entrypoint.sh"
    entry.write_text('#!/bin/sh\necho "$@"\n')
    entry.chmod(0o755)
    if state:
        (tmp_path / "grastate.dat").write_text(f"seqno: 7\n{state}\n")
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "GALERA_DATA": str(tmp_path)}
    command = ["bash", str(DEPLOY / "galera-start"), f"--wsrep-node-name={node}"]
    done = subprocess.run(command, env=given, capture_output=True, text=True, check=True)
    assert done.stdout.startswith(f"mariadbd --wsrep-node-name={node}")
    assert ("--wsrep-new-cluster" in done.stdout) == begins
