"""HTTP as the drill's processes speak it: patient, quick, and written down."""

import http.client
import json
import os
import time
from base64 import b64encode
from typing import Any
from urllib.parse import urlsplit

API = "/api/task_manager/v2"
TOKEN = "/api/2/idp/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PAUSE_SECONDS = 0.1


class Journal:
    """An append-only file of what was asked and what was answered; it survives its writer."""

    def __init__(self, path: str) -> None:
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def write(self, event: str, **facts: Any) -> None:
        """One line, whole or not at all, with the time of the clock that all processes share."""
        line = json.dumps({"at": time.monotonic(), "event": event, **facts})
        os.write(self.file, f"{line}\n".encode())


class Caller:
    """One connection to the service; what gets no answer, or 503, is sent again."""

    def __init__(self, url: str, client: tuple[str, str]) -> None:
        self.place = urlsplit(url).netloc
        self.basic = b64encode(":".join(client).encode()).decode()
        self.connection: http.client.HTTPConnection | None = None
        self.token = ""

    def once(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Any:
        """Status and body of one answer. Raises OSError, HTTPException."""
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.place, timeout=15)
        try:
            self.connection.request(method, path, body, headers)
            answer = self.connection.getresponse()
            return answer.status, json.loads(answer.read() or b"{}")
        except BaseException:
            self.connection.close()
            self.connection = None
            raise

    def renew(self) -> None:
        """Get a token. Raises OSError, HTTPException."""
        headers = {"Authorization": f"Basic {self.basic}", **FORM}
        status, said = self.once("POST", TOKEN, b"grant_type=client_credentials", headers)
        self.token = said["access_token"] if status == 200 else ""

    def call(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Status and body of the answer, however long the service is away."""
        raw = json.dumps(body).encode()
        while True:
            try:
                if not self.token:
                    self.renew()
                sent = {"Authorization": f"Bearer {self.token}",
                        "Content-Type": "application/json", **headers}  # fmt: skip
                status, said = self.once(method, API + path, raw, sent)
            except (OSError, http.client.HTTPException, ValueError):
                status = 503
            if status == 401:
                self.token = ""
            elif status != 503:
                return status, said
            time.sleep(PAUSE_SECONDS)
