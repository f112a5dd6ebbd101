"""What all peers share: where the rows are, who issued the token, and how a value is written.

None of it is a framework's business; all of them are given the same, so that none is slower for it.
"""

import os
from datetime import UTC, datetime

URL = os.environ["TASKS_DATABASE_URL"]
KEY = os.environ["PEER_KEY"]
"""The public key of the issuer, as PEM."""
ISSUER = os.environ["PEER_ISSUER"]
VIEWER = os.environ["PEER_SCOPE"]
"""What a token's scope must name."""
STATES = (None, "enqueued", "assigned", "started", "paused", "completed")
RESULTS = (None, "ok", "error", "warning", "cancelled", "abandoned", "timedout")
PRIORITIES = (None, "low", "belowNormal", "normal", "aboveNormal", "high")
DAYS: dict[int, str] = {}
CLOCK = [f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(86_400)]


def written(moment: int | None) -> str | None:
    """Nanoseconds since 1970 as RFC 3339: the quickest way that we know."""
    if moment is None:
        return None
    seconds, rest = divmod(moment, 1_000_000_000)
    day, second = divmod(seconds, 86_400)
    if day not in DAYS:
        DAYS[day] = f"{datetime.fromtimestamp(seconds, UTC).date().isoformat()}T"
    return f"{DAYS[day]}{CLOCK[second]}.{rest:09}Z"


def uuid(raw: bytes) -> str:
    """Sixteen bytes as a UUID is written."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
