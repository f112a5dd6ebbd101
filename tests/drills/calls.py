"""HTTP as the drill's processes speak it: patient, quick, and written down."""

import http.client
import json
import os
import time
from base64 import b64encode
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

API = "/api/task_manager/v2"
TOKEN = "/api/2/idp/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAUSE_SECONDS = 0.1
KEPT_SECONDS = 3.0
"""How long a connection may lie idle: less than after what a server closes it."""


class Journal:
    """An append-only file of what was asked and what was answered; it survives its writer."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, event: str, **facts: Any) -> None:
        """One line, whole or not at all, with the time of the clock that all processes share."""
        line = json.dumps({"at": time.monotonic(), "event": event, **facts})
        os.write(self.file, f"{line}\n".encode())


class Tally:
    """How many completions were accepted so far, by the executors' own journals."""

    def __init__(self, room: Path) -> None:
        self.room = room
        self.done = 0
        self.read: Counter[Path] = Counter()

    def count(self) -> int:
        """The number, with what was written since the last look."""
        for file in self.room.glob("executor-*.journal"):
            with file.open("rb") as opened:
                opened.seek(self.read[file])
                whole, end, _ = opened.read().rpartition(b"\n")
            self.read[file] += len(whole + end)
            self.done += sum(
                b'"accepted"' in line and b'"step": "completed"' in line
                for line in whole.splitlines()
            )
        return self.done


class Caller:
    """One connection to the service; what gets no answer, or 503, is sent again."""

    def __init__(self, url: str, client: tuple[str, str], journal: Journal) -> None:
        self.journal = journal
        self.place = urlsplit(url).netloc
        self.basic = b64encode(":".join(client).encode()).decode()
        self.connection: http.client.HTTPConnection | None = None
        self.used = 0.0
        self.token = ""

    def once(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        """Status, body and `Retry-After` of one answer. Raises OSError, HTTPException."""
        if self.connection and time.monotonic() > self.used + KEPT_SECONDS:
            self.connection.close()
            self.connection = None
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.place, timeout=15)
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            said = json.loads(answer.read() or b"{}")
            self.used = time.monotonic()
            return answer.status, said, answer.headers.get("Retry-After")
        except BaseException:
            self.connection.close()
            self.connection = None
            raise

    def renew(self) -> None:
        """Get a token. Raises OSError, HTTPException."""
        headers = {"Authorization": f"Basic {self.basic}", **FORM}
        status, said, later = self.once("POST", TOKEN, b"grant_type=client_credentials", headers)
        self.token = said["access_token"] if status == 200 else ""
        if status != 200:
            self.failed(status, later)

    def failed(self, status: int, later: str | None) -> None:
        """Write down a try that has to be repeated; status 0: it got no answer, `later` is why."""
        self.journal.write("failed", status=status, later=later)

    def call(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Status and body of the answer, however long the service is away."""
        raw = json.dumps(body).encode()
        while True:
            try:
                if not self.token:
                    self.renew()
                sent = {"Authorization": f"Bearer {self.token}",
                        "Content-Type": "application/json", **headers}  # fmt: skip
                status, said, later = self.once(method, API + path, raw, sent)
            except (OSError, http.client.HTTPException, ValueError) as error:
                status, said, later = 0, {}, repr(error)
            if status == 401:
                self.token = ""
            elif status not in (0, 503):
                return status, said
            else:
                self.failed(status, later)
            time.sleep(PAUSE_SECONDS)
