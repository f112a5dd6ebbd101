"""Reading tasks."""

from flask import Response

from app.api.blueprint import BASE, Blueprint
from app.api.lists import answer_item, answer_list
from app.api.objects import item_of, page_of
from app.api.schemas import item_schema, list_schema
from app.auth.protector import requires
from app.catalog.tasks import TASKS
from app.repository.lists.query import Query
from app.vocabulary import Scope

blp = Blueprint("tasks", __name__, url_prefix=f"{BASE}/tasks", description="Units of work.")


@blp.route("")
@requires(Scope.ADMIN, Scope.VIEWER)
@blp.arguments(list_schema(TASKS), location="query")
@blp.response(200, page_of(TASKS))
def list_tasks(query: Query) -> Response:
    """Fetch a list of tasks.

    Sustainable behavior: when a task is returned to the queue, its sustainable activities become
    `enqueued` and must be restarted with `PUT /activities/{id}/started`; those that are not
    restarted by the time the task completes are marked `abandoned`.
    """
    return answer_list(TASKS, query)


@blp.route("/<task_id>")
@requires(Scope.ADMIN, Scope.VIEWER)
@blp.arguments(item_schema(TASKS), location="query")
@blp.response(200, item_of(TASKS))
@blp.alt_response(404, description="The task does not exist.")
def find_task(query: Query, task_id: str) -> Response:
    """Fetch a task by its number or its UUID."""
    return answer_item(TASKS, task_id, query)
