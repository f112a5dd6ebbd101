"""What every program that calls the service needs: tokens, and patience while it does not answer.

The environment says where the service is and who calls: TASKS_URL, CLIENT_ID, CLIENT_SECRET.
"""

import os
import time

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

HERE = os.environ.get("TASKS_URL", "http://127.0.0.1:8080").rstrip("/")
API = f"{HERE}/api/task_manager/v2"
TOKEN = f"{HERE}/api/2/idp/token"
SECONDS = 45
"""How long an answer may take: more than the longest wait of a claim."""
# Every call here may be sent twice: enqueued tasks carry a UUID, claims an Idempotency-Key, and a
# step that took effect can be repeated. 503 says with Retry-After when to come again.
PATIENCE = Retry(8, status_forcelist=(503,), allowed_methods=None, raise_on_status=False,
                 backoff_factor=0.1, backoff_max=5)  # fmt: skip


class Token(requests.auth.AuthBase):
    """Puts an access token on every request: a new one before it expires, and once after a 401."""

    def __init__(self):
        self.text, self.good_until = "", 0.0

    def __call__(self, request):
        """`request` with a token, and another try should it be refused."""
        if time.monotonic() > self.good_until:
            self.renew()
        request.headers["Authorization"] = f"Bearer {self.text}"
        request.register_hook("response", self.once_more)
        return request

    def renew(self):
        """Get a token. Raises requests.RequestException."""
        known = os.environ["CLIENT_ID"], os.environ["CLIENT_SECRET"]
        with requests.Session() as http:
            http.mount("http", HTTPAdapter(max_retries=PATIENCE))
            form = {"grant_type": "client_credentials"}
            answer = http.post(TOKEN, data=form, auth=known, timeout=SECONDS)
        answer.raise_for_status()
        self.text = answer.json()["access_token"]
        self.good_until = time.monotonic() + 0.9 * answer.json()["expires_in"]

    def once_more(self, answer, **options):
        """`answer`, or when it was 401 the answer to the same request with another token."""
        if answer.status_code != 401:
            return answer
        answer.close()
        self.renew()
        request = answer.request.copy()
        request.deregister_hook("response", self.once_more)
        request.headers["Authorization"] = f"Bearer {self.text}"
        return answer.connection.send(request, **options)


class Session(requests.Session):
    """A session of `requests` that authenticates, retries, and never waits for ever.

    What the service refuses is raised, in its own words, as requests.HTTPError.
    """

    def __init__(self):
        super().__init__()
        self.auth = Token()
        self.mount("http", HTTPAdapter(max_retries=PATIENCE))

    def request(self, *args, **options):
        """The good answer, as `requests` has it."""
        answer = super().request(*args, **{"timeout": SECONDS, **options})
        if not answer.ok:
            raise requests.HTTPError(f"{answer.status_code}: {told(answer)}", response=answer)
        return answer


def told(answer):
    """Why the service refused."""
    problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    return answer.json()["message"] if problem else answer.reason
