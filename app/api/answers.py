"""Answers in JSON: one line, UTF-8, with no newline at the end."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response

JSON = "application/json"
PROBLEM = "application/problem+json"


def as_json(
    content: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> Response:
    """`content`, which may hold orjson fragments, as a response."""
    return Response(orjson.dumps(content), status, headers, content_type=content_type)
