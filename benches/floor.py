"""The floor: one page of 100 tasks, and nothing that is not needed for it.

A bare WSGI function: one SELECT by the bare driver, written by orjson; no framework, no token, no
parameter. Its items are the service's for `PAGE`, which a test compares. Nobody makes it slower.
"""

import os
import sqlite3
from datetime import date
from threading import local
from urllib.parse import unquote, urlsplit

import orjson

PAGE = "/api/task_manager/v2/tasks?lod=short&limit=100&order=desc(startedAt)"
STATES = (None, "enqueued", "assigned", "started", "paused", "completed")
RESULTS = (None, "ok", "error", "warning", "cancelled", "abandoned", "timedout")
PRIORITIES = (None, "low", "belowNormal", "normal", "aboveNormal", "high")
URL = urlsplit(os.environ.get("TASKS_DATABASE_URL", "sqlite:///instance/tasks.db"))
INDEX = {"sqlite": "INDEXED BY tasks_started_at", "mysql": "FORCE INDEX (tasks_started_at)"}
SELECT = f"""
SELECT t.id, t.uuid, y.name, t.state, t.result, q.name, t.priority, t.enqueued_at, t.assigned_at,
  t.started_at, t.updated_at, t.completed_at, t.cancellable, t.cancel_requested, u.name,
  p.policy, p.type, p.name, r.resource, r.type, r.name, o.id, o.uuid, o.locator, o.name
FROM tasks AS t {INDEX[URL.scheme]}
JOIN types AS y ON y.id = t.type_id JOIN queues AS q ON q.id = t.queue_id
JOIN tenants AS o ON o.id = t.tenant_id LEFT JOIN started_by_users AS u ON u.id = t.user_id
LEFT JOIN policies AS p ON p.id = t.policy_id LEFT JOIN resources AS r ON r.id = t.resource_id
WHERE t.started_at IS NOT NULL AND t.deleted_at IS NULL
ORDER BY t.started_at DESC, t.id DESC LIMIT 101"""
DAYS = [f"{date.fromordinal(719_163 + number)}T" for number in range(40_000)]
CLOCK = [f"{n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}" for n in range(86_400)]
kept = local()


def cursor():
    if not hasattr(kept, "connection"):
        if URL.scheme == "sqlite":
            kept.connection = sqlite3.connect(unquote(URL.path[1:]))
        else:
            from app.engines import mysql_driver  # mysqlclient, or PyMySQL without it

            kept.connection = mysql_driver.connect(
                host=URL.hostname, port=URL.port, user=URL.username, password=URL.password,
                database=URL.path[1:], autocommit=True, charset="utf8mb4")  # fmt: skip
    return kept.connection.cursor()


def time(moment):
    seconds, rest = moment // 1_000_000_000, str(moment % 1_000_000_000).zfill(9)
    return f"{DAYS[seconds // 86_400]}{CLOCK[seconds % 86_400]}.{rest}Z"


def uuid(raw):
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


# fmt: off
def app(environ, start_response):
    rows, items = cursor(), []
    rows.execute(SELECT)
    for (id_, key, type_, state, result, queue, priority, enqueued, assigned, started, updated,
         completed, cancellable, asked, user, policy, policy_type, policy_name, resource,
         resource_type, resource_name, tenant, tenant_key, locator, owner) in rows.fetchall()[:100]:
        made = {
            "id": id_, "idString": str(id_), "uuid": uuid(key), "type": type_,
            "state": STATES[state], "result": result and {"code": RESULTS[result]}, "queue": queue,
            "priority": PRIORITIES[priority], "enqueuedAt": time(enqueued),
            "assignedAt": assigned and time(assigned), "startedAt": time(started),
            "updatedAt": time(updated), "completedAt": completed and time(completed),
            "cancellable": cancellable == 1, "cancelRequested": asked == 1, "startedByUser": user,
            "policy": policy and {"id": policy, "type": policy_type, "name": policy_name},
            "resource": resource and {"id": resource, "type": resource_type, "name": resource_name},
            "tenant": {"id": str(tenant), "uuid": uuid(tenant_key), "locator": locator,
                       "name": owner}}
        items.append({word: value for word, value in made.items() if value is not None})
    body = orjson.dumps({"items": items})
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
