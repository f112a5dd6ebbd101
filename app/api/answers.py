"""Answers in JSON: one line, UTF-8, with no newline at the end."""

from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response
from werkzeug.datastructures import Headers

JSON = "application/json"
PROBLEM = "application/problem+json"


class Answer(Response):
    """A response whose headers are as they have to go out: a length, and no address to complete."""

    def get_wsgi_headers(self, environ: Any) -> Headers:
        """The headers themselves, not a copy of which each one is looked at again."""
        return self.headers


def as_json(
    content: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = JSON,
) -> Response:
    """`content`, which may hold orjson fragments, as a response."""
    return Answer(orjson.dumps(content), status, headers, content_type=content_type)
