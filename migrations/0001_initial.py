"""The first tables: tenants, dictionaries, tasks, activities, identity, upkeep."""

from uuid import uuid4

from peewee import SqliteDatabase

COLLATIONS = {"mariadb": "utf8mb4_nopad_bin", "mysql": "utf8mb4_0900_bin"}

SQLITE = {
    "auto": "INTEGER PRIMARY KEY",
    "id": "INTEGER PRIMARY KEY",
    "big": "INTEGER",
    "int": "INTEGER",
    "small": "INTEGER",
    "uuid": "BLOB",
    "digest": "BLOB",
    "json": "TEXT",
    "clustered": " WITHOUT ROWID",
    "options": "",
}
MYSQL = {
    "auto": "INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
    "id": "BIGINT NOT NULL PRIMARY KEY",
    "big": "BIGINT",
    "int": "INT",
    "small": "SMALLINT",
    "uuid": "BINARY(16)",
    "digest": "BINARY(32)",
    "json": "LONGTEXT",
    "clustered": "",
    "options": " ENGINE=InnoDB ROW_FORMAT=DYNAMIC DEFAULT CHARSET=utf8mb4 COLLATE={collation}",
}

TABLES = (
    (
        "tenants",
        """
        id {id}, uuid {uuid} UNIQUE, parent_id {big},
        branch_id {big} NOT NULL, locator VARCHAR(1024) NOT NULL, name VARCHAR(256),
        FOREIGN KEY (parent_id) REFERENCES tenants (id)
    """,
    ),
    ("types", "id {auto}, name VARCHAR(256) NOT NULL UNIQUE"),
    ("queues", "id {auto}, name VARCHAR(256) NOT NULL UNIQUE"),
    ("tags", "id {auto}, name VARCHAR(256) NOT NULL UNIQUE"),
    (
        "started_by_users",
        """
        id {auto}, name VARCHAR(256) NOT NULL UNIQUE, folded VARCHAR(768) NOT NULL
    """,
    ),
    (
        "agents",
        """
        id {auto}, digest {uuid} NOT NULL UNIQUE, agent VARCHAR(256) NOT NULL,
        cluster VARCHAR(256) NOT NULL
    """,
    ),
    (
        "policies",
        """
        id {auto}, digest {uuid} NOT NULL UNIQUE, policy VARCHAR(256), type VARCHAR(256),
        name VARCHAR(256), folded VARCHAR(768)
    """,
    ),
    (
        "resources",
        """
        id {auto}, digest {uuid} NOT NULL UNIQUE, resource VARCHAR(256), type VARCHAR(256),
        name VARCHAR(256), folded VARCHAR(768)
    """,
    ),
    (
        "tasks",
        """
        id {id}, uuid {uuid} NOT NULL UNIQUE,
        type_id {int} NOT NULL, queue_id {int} NOT NULL,
        priority {small} NOT NULL CHECK (priority BETWEEN 1 AND 5),
        state {small} NOT NULL CHECK (state BETWEEN 1 AND 5),
        result {small} CHECK (result BETWEEN 1 AND 6),
        tenant_id {big} NOT NULL, branch_id {big} NOT NULL,
        user_id {int}, policy_id {int}, resource_id {int}, issuer_id {int}, executor_id {int},
        affinity_id {int} NOT NULL DEFAULT 0, workflow_id {big},
        cancellable {small} NOT NULL DEFAULT 1, cancel_requested {small} NOT NULL DEFAULT 0,
        enqueued_at {big}, assigned_at {big}, started_at {big}, updated_at {big},
        completed_at {big}, deleted_at {big}, revision {int} NOT NULL DEFAULT 1,
        ready {small} NOT NULL DEFAULT 0, not_before {big}, due_at {big},
        fence {int} NOT NULL DEFAULT 0, lease_until {big},
        assign_count {int} NOT NULL DEFAULT 0, fail_count {int} NOT NULL DEFAULT 0,
        CONSTRAINT tasks_result CHECK ((state = 5) = (result IS NOT NULL)),
        CONSTRAINT tasks_completed CHECK (completed_at IS NULL OR state = 5),
        CONSTRAINT tasks_ready CHECK (ready = 0 OR state = 1),
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
    """,
    ),
    (
        "task_details",
        """
        task_id {id}, tags {json},
        context {json}, argument {json}, progress {json}, payload {json}, warnings {json},
        error {json}, queue_timeout {big}, ack_timeout {big}, heartbeat_interval {big},
        exec_timeout {big}, life_time {big}, max_assign_count {int}, max_fail_count {int},
        queued_at {big}, ran_at {big}, ran {big} NOT NULL DEFAULT 0, cancel_at {big},
        body_digest {digest}, ended_by {digest},
        FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
    """,
    ),
    (
        "task_tags",
        """
        tag_id {int} NOT NULL, task_id {big} NOT NULL,
        started_at {big}, completed_at {big}, PRIMARY KEY (tag_id, task_id),
        FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
    """,
    ),
    (
        "attempts",
        """
        task_id {big} NOT NULL, number {int} NOT NULL,
        executor_id {int} NOT NULL, assigned_at {big} NOT NULL, started_at {big}, ended_at {big},
        outcome VARCHAR(32), reason VARCHAR(256), PRIMARY KEY (task_id, number),
        FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
    """,
    ),
    (
        "activities",
        """
        id {id}, uuid {uuid} NOT NULL UNIQUE,
        task_id {big} NOT NULL, parent_id {big},
        type_id {int} NOT NULL, state {small} NOT NULL CHECK (state BETWEEN 1 AND 5),
        result {small} CHECK (result BETWEEN 1 AND 6),
        tenant_id {big} NOT NULL, branch_id {big} NOT NULL,
        user_id {int}, policy_id {int}, resource_id {int}, executor_id {int}, workflow_id {big},
        sustainable {small} NOT NULL DEFAULT 0,
        created_at {big}, started_at {big}, updated_at {big}, completed_at {big}, deleted_at {big},
        revision {int} NOT NULL DEFAULT 1,
        CONSTRAINT activities_result CHECK ((state = 5) = (result IS NOT NULL)),
        CONSTRAINT activities_completed CHECK (completed_at IS NULL OR state = 5),
        FOREIGN KEY (task_id) REFERENCES tasks (id) ON DELETE CASCADE
    """,
    ),
    (
        "activity_details",
        """
        activity_id {id}, tags {json},
        context {json}, argument {json}, progress {json}, payload {json}, warnings {json},
        error {json}, body_digest {digest},
        FOREIGN KEY (activity_id) REFERENCES activities (id) ON DELETE CASCADE
    """,
    ),
    (
        "activity_tags",
        """
        tag_id {int} NOT NULL,
        activity_id {big} NOT NULL,
        PRIMARY KEY (tag_id, activity_id),
        FOREIGN KEY (activity_id) REFERENCES activities (id) ON DELETE CASCADE
    """,
    ),
    (
        "clients",
        """
        client_id VARCHAR(64) NOT NULL PRIMARY KEY, name VARCHAR(256) NOT NULL,
        tenant_id {big} NOT NULL, scopes VARCHAR(256) NOT NULL,
        secret_digest {digest}, created_at {big} NOT NULL, disabled_at {big},
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
    """,
    ),
    (
        "users",
        """
        login VARCHAR(256) NOT NULL PRIMARY KEY, tenant_id {big} NOT NULL,
        scopes VARCHAR(256) NOT NULL, password_hash VARCHAR(256) NOT NULL,
        created_at {big} NOT NULL, disabled_at {big},
        FOREIGN KEY (tenant_id) REFERENCES tenants (id)
    """,
    ),
    (
        "signing_keys",
        """
        kid VARCHAR(64) NOT NULL PRIMARY KEY, sealed {json} NOT NULL, public {json} NOT NULL,
        created_at {big} NOT NULL, retired_at {big}
    """,
    ),
    (
        "failed_attempts",
        """
        bucket VARCHAR(64) NOT NULL PRIMARY KEY, began_at {big} NOT NULL, failures {int} NOT NULL
    """,
    ),
    (
        "idempotency_keys",
        """
        digest {digest} NOT NULL PRIMARY KEY, body_digest {digest} NOT NULL, leases {json} NOT NULL,
        created_at {big} NOT NULL
    """,
    ),
    (
        "leaders",
        """
        duty VARCHAR(32) NOT NULL PRIMARY KEY, holder VARCHAR(64) NOT NULL,
        held_until {big} NOT NULL, term {int} NOT NULL DEFAULT 0
    """,
    ),
    ("invariants", "name VARCHAR(64) NOT NULL PRIMARY KEY, value {big} NOT NULL"),
)

CLUSTERED = ("task_tags", "activity_tags", "attempts")

INDEXES = (
    ("tasks_type_id", "tasks", "type_id", ""),
    ("tasks_queue_id", "tasks", "queue_id", ""),
    ("tasks_user_id", "tasks", "user_id", ""),
    ("tasks_tenant_id", "tasks", "tenant_id", ""),
    ("tasks_branch_id", "tasks", "branch_id", ""),
    ("tasks_enqueued_at", "tasks", "enqueued_at", ""),
    ("tasks_assigned_at", "tasks", "assigned_at", ""),
    ("tasks_started_at", "tasks", "started_at", ""),
    ("tasks_updated_at", "tasks", "updated_at", ""),
    ("tasks_completed_at", "tasks", "completed_at", ""),
    ("tasks_policy_id", "tasks", "policy_id", "policy_id IS NOT NULL"),
    ("tasks_resource_id", "tasks", "resource_id", "resource_id IS NOT NULL"),
    ("tasks_executor_id", "tasks", "executor_id", "executor_id IS NOT NULL"),
    ("tasks_workflow_id", "tasks", "workflow_id", "workflow_id IS NOT NULL"),
    ("tasks_affinity_id", "tasks", "affinity_id", "affinity_id <> 0"),
    ("tasks_result", "tasks", "result", "result > 1"),
    ("tasks_priority", "tasks", "priority", "priority <> 3"),
    ("tasks_state", "tasks", "state", "state < 5"),
    ("tasks_state_updated_at", "tasks", "state, updated_at", "state < 5"),
    ("tasks_type_id_completed_at", "tasks", "type_id, completed_at", "completed_at IS NOT NULL"),
    (
        "tasks_tenant_id_completed_at",
        "tasks",
        "tenant_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    (
        "tasks_branch_id_completed_at",
        "tasks",
        "branch_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    (
        "tasks_policy_id_completed_at",
        "tasks",
        "policy_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    ("tasks_user_id_completed_at", "tasks", "user_id, completed_at", "completed_at IS NOT NULL"),
    ("tasks_type_id_started_at", "tasks", "type_id, started_at", "started_at IS NOT NULL"),
    ("tasks_tenant_id_started_at", "tasks", "tenant_id, started_at", "started_at IS NOT NULL"),
    ("tasks_branch_id_started_at", "tasks", "branch_id, started_at", "started_at IS NOT NULL"),
    ("tasks_policy_id_started_at", "tasks", "policy_id, started_at", "started_at IS NOT NULL"),
    ("tasks_user_id_started_at", "tasks", "user_id, started_at", "started_at IS NOT NULL"),
    ("tasks_tenant_id_updated_at", "tasks", "tenant_id, updated_at", "updated_at IS NOT NULL"),
    ("tasks_branch_id_updated_at", "tasks", "branch_id, updated_at", "updated_at IS NOT NULL"),
    ("tasks_result_completed_at", "tasks", "result, completed_at", "result > 1"),
    ("tasks_result_started_at", "tasks", "result, started_at", "result > 1"),
    (
        "task_tags_tag_id_completed_at",
        "task_tags",
        "tag_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    ("task_tags_tag_id_started_at", "task_tags", "tag_id, started_at", "started_at IS NOT NULL"),
    ("task_tags_task_id", "task_tags", "task_id", ""),
    ("activity_tags_activity_id", "activity_tags", "activity_id", ""),
    ("activities_task_id", "activities", "task_id", ""),
    ("activities_type_id", "activities", "type_id", ""),
    ("activities_user_id", "activities", "user_id", ""),
    ("activities_tenant_id", "activities", "tenant_id", ""),
    ("activities_branch_id", "activities", "branch_id", ""),
    ("activities_created_at", "activities", "created_at", ""),
    ("activities_started_at", "activities", "started_at", ""),
    ("activities_updated_at", "activities", "updated_at", ""),
    ("activities_completed_at", "activities", "completed_at", ""),
    ("activities_parent_id", "activities", "parent_id", "parent_id IS NOT NULL"),
    ("activities_policy_id", "activities", "policy_id", "policy_id IS NOT NULL"),
    ("activities_resource_id", "activities", "resource_id", "resource_id IS NOT NULL"),
    ("activities_workflow_id", "activities", "workflow_id", "workflow_id IS NOT NULL"),
    ("activities_result", "activities", "result", "result > 1"),
    ("activities_state", "activities", "state", "state < 5"),
    ("activities_sustainable", "activities", "sustainable", "sustainable = 1"),
    (
        "activities_type_id_completed_at",
        "activities",
        "type_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    (
        "activities_tenant_id_completed_at",
        "activities",
        "tenant_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    (
        "activities_branch_id_completed_at",
        "activities",
        "branch_id, completed_at",
        "completed_at IS NOT NULL",
    ),
    (
        "activities_type_id_started_at",
        "activities",
        "type_id, started_at",
        "started_at IS NOT NULL",
    ),
    (
        "activities_tenant_id_started_at",
        "activities",
        "tenant_id, started_at",
        "started_at IS NOT NULL",
    ),
    (
        "activities_branch_id_started_at",
        "activities",
        "branch_id, started_at",
        "started_at IS NOT NULL",
    ),
    (
        "activities_tenant_id_updated_at",
        "activities",
        "tenant_id, updated_at",
        "updated_at IS NOT NULL",
    ),
    (
        "activities_branch_id_updated_at",
        "activities",
        "branch_id, updated_at",
        "updated_at IS NOT NULL",
    ),
    ("activities_result_completed_at", "activities", "result, completed_at", "result > 1"),
    ("agents_agent", "agents", "agent", ""),
    ("agents_cluster", "agents", "cluster", ""),
    ("policies_policy", "policies", "policy", ""),
    ("policies_type", "policies", "type", ""),
    ("policies_name", "policies", "name", ""),
    ("resources_resource", "resources", "resource", ""),
    ("resources_type", "resources", "type", ""),
    ("resources_name", "resources", "name", ""),
    ("tenants_parent_id", "tenants", "parent_id", ""),
)


def words_of(db):
    """The column types of this database's dialect."""
    if isinstance(db, SqliteDatabase):
        return SQLITE
    version = str(db.execute_sql("SELECT VERSION()").fetchone()[0]).lower()
    collation = COLLATIONS["mariadb" if "mariadb" in version else "mysql"]
    return {**MYSQL, "options": MYSQL["options"].format(collation=collation)}


def statements(words):
    """The statements that make all tables and indexes in one dialect, each safe to repeat.

    MySQL commits every statement by itself: a table with its indexes is one, so that an
    interrupted upgrade can simply be run again.
    """
    for name, columns in TABLES:
        body = columns.format(**words).strip()
        own = [index for index in INDEXES if index[1] == name]
        if words is not SQLITE:
            body += "".join(f", INDEX {index} ({keys})" for index, _, keys, _ in own)
        options = words["clustered"] if name in CLUSTERED else ""
        yield f"CREATE TABLE IF NOT EXISTS {name} ({body}){options}{words['options']}"
        for index, table, keys, where in own if words is SQLITE else ():
            condition = f" WHERE {where}" if where else ""
            yield f"CREATE INDEX {index} ON {table} ({keys}){condition}"


def up(migrator, db):
    """Make the tables, their indexes, and the root tenant under a UUID of its own."""
    words = words_of(db)
    for statement in statements(words):
        db.execute_sql(statement)
    mark = "?" if words is SQLITE else "%s"
    db.execute_sql(
        "INSERT INTO tenants (id, uuid, branch_id, locator, name) "
        f"SELECT 1, {mark}, 1, '/1/', 'root' FROM (SELECT 1 AS one) AS here "
        "WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = 1)",
        (uuid4().bytes,),
    )


def down(migrator, db):
    """Drop them all; what they held is gone."""
    for name, _ in reversed(TABLES):
        db.execute_sql(f"DROP TABLE IF EXISTS {name}")
