"""Lease tokens: what proves that its bearer holds a task.

A token names the task and the fence of the claim, and is signed with the deployment's key: it works
on every server, outlives restarts and access tokens, and cannot be made for another task or fence.
Whether the lease is still in force only the task itself can tell.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256

PURPOSE = "leases"
"""The purpose of the key that signs them."""
PARTS, SIGNATURE = 16, 20
"""Bytes of task and fence, and of the signature: 36 in all, so base64 has one spelling."""
TOKEN = re.compile(r"[A-Za-z0-9_-]{48}")


def signature(content: bytes, key: bytes) -> bytes:
    """What nobody without `key` can make for `content`."""
    return hmac.digest(key, content, sha256)[:SIGNATURE]


def issue(task: int, fence: int, key: bytes) -> str:
    """The token of a lease."""
    content = task.to_bytes(8, "big") + fence.to_bytes(8, "big")
    return urlsafe_b64encode(content + signature(content, key)).decode()


def read(token: str, key: bytes) -> tuple[int, int] | None:
    """The task and the fence that `token` proves; None for anything that was not issued here."""
    if not TOKEN.fullmatch(token):
        return None
    raw = urlsafe_b64decode(token)
    content, proof = raw[:PARTS], raw[PARTS:]
    if not hmac.compare_digest(signature(content, key), proof):
        return None
    return int.from_bytes(content[:8], "big"), int.from_bytes(content[8:], "big")
