"""What a request costs before its answer is looked for: parsing a query, checking a token."""

from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from time import thread_time

from flask import Flask
from flask_smorest import Api
from werkzeug.test import EnvironBuilder

from app import create_app
from app.api.blueprint import Blueprint
from app.api.schemas import list_schema
from app.auth.identity import identity_of
from app.auth.protector import Validator
from app.auth.tokens import unpacked
from app.catalog.tasks import TASKS
from app.service import service_of
from app.vocabulary import Scope
from benches.anchors import line
from benches.servers import TOKEN, credentials_for, settings

QUERY = "state=started&policyName=like(daily{})&order=desc(priority)"
ROUNDS, TIMES = 9, 300


def cost(act: Callable[[int], object], times: int = TIMES) -> float:
    """Microseconds of processor time that `act` takes; it gets another number each time."""
    began = thread_time()
    for number in range(times):
        act(number)
    return (thread_time() - began) / times * 1e6


def started(status: str, headers: object, _: object = None) -> None:
    """What a server gives an application to begin its answer with."""
    assert status == "200 OK", status


def asking(app: Flask, path: str, query: str = "") -> Callable[[int], None]:
    """Calls `app` as a server does, with another value in `query` each time."""
    environ = EnvironBuilder(path=path).get_environ()

    def ask(number: int) -> None:
        # Another value each time, so that nothing can be remembered of the whole query.
        b"".join(app({**environ, "QUERY_STRING": query.format(number)}, started))

    return ask


def routes() -> Flask:
    """Two routes that do nothing: one reads nothing, the other a query for a list of tasks."""
    app = Flask(__name__)
    Api(app, spec_kwargs={"title": "", "version": "", "openapi_version": "3.1.0"})
    blueprint = Blueprint("read", __name__)
    query = blueprint.arguments(list_schema(TASKS), location="query")
    blueprint.add_url_rule("/plain", "plain", lambda: "")
    blueprint.add_url_rule("/query", "query", query(lambda query: ""))
    app.register_blueprint(blueprint)
    return app


def lines(url: str, room: Path) -> Iterator[str]:
    """Parsing over an empty request, and a token's check, new and seen."""
    yield from queries()
    yield from tokens(url, room)


def queries() -> Iterator[str]:
    """Parsing and validating a query of three parameters."""
    app = routes()
    plain, query = asking(app, "/plain"), asking(app, "/query", QUERY)
    cost(plain), cost(query)
    rounds = [(cost(plain), cost(query)) for _ in range(ROUNDS)]
    empty = median(empty for empty, _ in rounds)
    yield line("query", median(read - empty for empty, read in rounds), f"over {empty:.0f} us")


def tokens(url: str, room: Path) -> Iterator[str]:
    """Checking an access token: signature, claims, tenant and scope."""
    app = create_app(settings(url, room))
    validator = Validator(identity_of(app))
    token = app.test_client().post(TOKEN, **credentials_for(url, Scope.VIEWER)).json["access_token"]

    def check(_: int) -> None:
        validator.validate_token(validator.authenticate_token(token), (Scope.VIEWER,), None)

    def check_anew(_: int) -> None:
        validator.identity.reader.seen.clear()
        check(0)

    signed, _, signature = token.encode().rpartition(b".")
    key, proof = validator.identity.reader.signer(signed.partition(b".")[0]), unpacked(signature)
    check(0)
    seen = [cost(check) for _ in range(ROUNDS)]
    rounds = [
        (cost(check_anew), cost(lambda _: key.verifies(signed, proof))) for _ in range(ROUNDS)
    ]
    service_of(app).database.close()
    new, bare = (median(costs) for costs in zip(*rounds, strict=True))
    yield line("token new", new, f"{bare:.0f} us of it for the signature")
    yield line("token seen", median(seen))
