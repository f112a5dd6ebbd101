"""The places of the drills' faults: code that moves takes them along, or is told so at once. And
none of what a drill has started outlives it."""

import shutil
import sys
import time
from pathlib import Path

import pytest
from services import ROOT

sys.path.append(str(Path(__file__).parent / "drills"))
import servers
from faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_places(fault):
    for file, right, wrong in FAULTS[fault]:
        text = (ROOT / file).read_text()
        assert right in text
        compile(text.replace(right, wrong), file, "exec")


RESTLESS = "setsid sh -c 'while :; do mkdir -p {room}; sleep 0.01; done' & sleep 60"


def test_what_was_left_behind_ends_with_the_drill(tmp_path):
    """The worker of a server that was killed has a session of its own, and still writes."""
    room = tmp_path / "room"
    room.mkdir()
    process = servers.spawn(["sh", "-c", RESTLESS.format(room=room)], tmp_path, room / "log")
    deadline = time.monotonic() + 9
    while len(servers.living(room)) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    servers.kill(process)
    assert servers.living(room)
    servers.end(room)
    shutil.rmtree(room)
    time.sleep(0.1)
    assert not room.exists()
    assert servers.living(room) == []
