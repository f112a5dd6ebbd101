"""The blueprint that our routes hang on: strict parsing, and where the API lives."""

from flask_smorest import Blueprint as SmorestBlueprint

from app.api.parsing import QueryParser

BASE = "/api/task_manager/v2"
"""The path under which the Tasks API lives, as its reference has it."""


class Blueprint(SmorestBlueprint):
    """A flask-smorest blueprint that refuses what it does not know, with 400."""

    ARGUMENTS_PARSER = QueryParser()
