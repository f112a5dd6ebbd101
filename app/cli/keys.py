"""`flask keys`: the keys that sign access tokens."""

from app import clock
from app.auth import keys as signing
from app.cli.doors import Group, open_database, settings
from app.cli.output import json_option, moment, show, show_rows
from app.repository import signing_keys

keys = Group("keys", help="The keys that sign access tokens.")


@keys.command("rotate", examples=("flask keys rotate",))
@json_option
def rotate(as_json: bool) -> None:
    """Sign with a new key from now on; the old one verifies until its last token has expired."""
    with open_database() as database:
        kid = signing.rotate(database, settings(), clock.now())
    show({"kid": kid}, as_json, f"Tokens are signed with {kid} from now on.")


@keys.command("list")
@json_option
def list_keys(as_json: bool) -> None:
    """List the keys, the newest first; private halves are never shown."""
    with open_database() as database:
        rows = [
            {
                "kid": key.kid,
                "created_at": moment(key.created_at),
                "retired_at": moment(key.retired_at),
            }
            for key in signing_keys.stored(database)
        ]
    show_rows(rows, as_json, "There are no keys: the first token makes one.")
