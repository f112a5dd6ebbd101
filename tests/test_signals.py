"""Signals: what has happened has happened, whatever a listener makes of it."""

import pytest
from writers import Writer

from app.errors import Unavailable
from app.signals import queued


@pytest.fixture
def writer(engine, tmp_path):
    made = Writer(engine, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("error", [Unavailable(reason="gone"), KeyError(7)], ids=["away", "bug"])
def test_a_write_that_is_committed_is_answered_as_done_when_a_listener_fails(writer, error, caplog):
    told = []

    def failing(**_):
        raise error

    queued.connect(failing)
    queued.connect(listening := lambda **facts: told.append(facts["arrivals"]))
    try:
        made = writer.enqueue()
    finally:
        queued.disconnect(failing)
        queued.disconnect(listening)
    assert len(told) == 1
    assert writer.task(made["id"])["state"] == "enqueued"
    assert "a listener failed" in caplog.text
