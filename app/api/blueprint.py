"""The blueprint that our routes hang on: strict parsing, and where the API lives.

Flask-smorest's decorators both document a view and wrap it. Of those that only document, ours keep
the document alone: a view with four kinds of refusals would else be called through seven functions,
each of which asks which application answers.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import request
from flask_smorest import Blueprint as SmorestBlueprint

from app.api.parsing import QueryParser
from app.standins import itself

BASE = "/api/task_manager/v2"
"""The path under which the Tasks API lives, as its reference has it."""
View = Callable[..., Any]
Decorator = Callable[[View], View]


class Blueprint(SmorestBlueprint):
    """A flask-smorest blueprint that refuses what it does not know, with 400.

    Its views answer responses, which nothing needs to make of what they return.
    """

    ARGUMENTS_PARSER = QueryParser()

    def arguments(self, schema: Any, *, location: str = "json", **told: Any) -> Decorator:
        """The view gets what `schema` reads at `location`, behind what was read before."""
        note, parser = super().arguments(schema, location=location, **told), self.ARGUMENTS_PARSER

        def decorate(view: View) -> View:
            @wraps(view)
            def asked(*args: Any, **kwargs: Any) -> Any:
                parsed = parser.parse(schema, itself(request), location=location)
                return view(*args, parsed, **kwargs)

            return noted(asked, note(view))

        return decorate

    def response(self, *args: Any, **told: Any) -> Decorator:
        """The document says what the view answers when all is well."""
        return noting(super().response(*args, **told))

    def alt_response(self, *args: Any, **told: Any) -> Decorator:
        """The document says what else the view answers."""
        return noting(super().alt_response(*args, **told))


def noting(decorate: Decorator) -> Decorator:
    """What flask-smorest's `decorate` writes of a view for the document, and no more."""
    return lambda view: noted(view, decorate(view))


def noted(view: View, other: View) -> View:
    """`view`, of which the document says what it says of `other`."""
    view._apidoc = vars(other)["_apidoc"]  # type: ignore[attr-defined]
    return view
