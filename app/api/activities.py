"""Reading activities."""

from flask import Response

from app.api.blueprint import BASE, Blueprint
from app.api.lists import answer_item, answer_list
from app.api.objects import item_of, page_of
from app.api.schemas import item_schema, list_schema
from app.auth.protector import requires
from app.catalog.activities import ACTIVITIES
from app.repository.lists.query import Query
from app.vocabulary import Scope

blp = Blueprint(
    "activities", __name__, url_prefix=f"{BASE}/activities", description="Steps of tasks."
)


@blp.route("")
@requires(Scope.ADMIN, Scope.VIEWER)
@blp.arguments(list_schema(ACTIVITIES), location="query")
@blp.response(200, page_of(ACTIVITIES))
def list_activities(query: Query) -> Response:
    """Fetch a list of activities.

    Sustainable behavior: sustainable activities become `enqueued` when their task is returned to
    the queue and must be restarted with `PUT /activities/{id}/started`; those that are not
    restarted by the time the task completes are marked `abandoned`.
    """
    return answer_list(ACTIVITIES, query)


@blp.route("/<activity_id>")
@requires(Scope.ADMIN, Scope.VIEWER)
@blp.arguments(item_schema(ACTIVITIES), location="query")
@blp.response(200, item_of(ACTIVITIES))
@blp.alt_response(404, description="The activity does not exist.")
def find_activity(query: Query, activity_id: str) -> Response:
    """Fetch an activity by its number or its UUID."""
    return answer_item(ACTIVITIES, activity_id, query)
