"""The OpenAPI document against the service: what Schemathesis makes of it, sound and unsound."""

from urllib.parse import urlsplit

import pytest
import reading
import schemathesis
from hypothesis import HealthCheck, given, settings
from reading import faults
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
]


PATHS = ("tasks", "tasks/{task_id}", "activities", "activities/{activity_id}")
EXAMPLES = 80


@pytest.fixture(scope="module")
def document(sqlite_reader):
    """The document of a service with a world in it."""
    return schemathesis.openapi.from_wsgi("/openapi.json", sqlite_reader.app)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("mode", GenerationMode)
def test_what_the_document_allows_is_answered_and_the_rest_refused(
    document, sqlite_reader, path, mode
):
    @given(case=document[f"{reading.BASE}/{path}"]["GET"].as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES, derandomize=True, deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    def ask(case):
        answer = case.call(headers={"Authorization": sqlite_reader.token()})
        case.validate_response(answer, checks=CHECKS)
        if path in ("tasks", "activities"):
            judge(answer, path)

    ask()


def judge(answer, collection: str) -> None:
    """The answer to a list request is what the grammar says of its query."""
    query = urlsplit(answer.request.url).query
    # An empty list is written `type=` here, yet nothing of it is sent: it cannot be judged.
    if "after=" not in query and "=&" not in f"{query}&":
        wanted = 400 if faults(collection, query.encode()) else 200
        assert answer.status_code == wanted, query
