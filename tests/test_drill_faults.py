"""The places of the drills' faults: code that moves takes them along, or is told so at once."""

import sys
from pathlib import Path

import pytest
from services import ROOT

sys.path.append(str(Path(__file__).parent / "drills"))
from faults import FAULTS


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_has_its_places(fault):
    for file, right, wrong in FAULTS[fault]:
        text = (ROOT / file).read_text()
        assert right in text
        compile(text.replace(right, wrong), file, "exec")
