"""The command line as tests run it: a real application, in this process."""

import json
from pathlib import Path
from typing import Any

from app import create_app


class Commands:
    """`flask ...` on one database; files are made in a folder of the test's own."""

    def __init__(self, url: str, folder: Path) -> None:
        """`url`: the database's address."""
        self.folder = folder
        self.app = create_app({"TASKS_DATABASE_URL": url, "TASKS_INSTANCE_PATH": str(folder)})
        self.runner = self.app.test_cli_runner()

    def run(self, *arguments: str, stdin: bytes | None = None) -> Any:
        """The result of `flask arguments`: exit_code, stdout, stderr. Never a traceback."""
        result = self.runner.invoke(args=[str(argument) for argument in arguments], input=stdin)
        unforeseen = result.exception and not isinstance(result.exception, SystemExit)
        if unforeseen:
            raise result.exception
        return result

    def json(self, *arguments: str, stdin: bytes | None = None) -> Any:
        """What `flask arguments --json` prints, which must end well."""
        result = self.run(*arguments, "--json", stdin=stdin)
        assert result.exit_code == 0, result.stderr
        return json.loads(result.stdout)

    def refused(self, *arguments: str, stdin: bytes | None = None) -> str:
        """What stands on stderr when `flask arguments` fails, which it must."""
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code != 0
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        return result.stderr

    def file(self, name: str, content: Any) -> Path:
        """A file of `content`: bytes, text, or objects to be written one a line."""
        path = self.folder / name
        if isinstance(content, list):
            content = "".join(json.dumps(item) + "\n" for item in content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def load(self, *objects: Any, options: tuple[str, ...] = ()) -> dict[str, int]:
        """Import `objects` -> the counts."""
        return self.json("import", self.file("objects.ndjson", list(objects)), *options)

    def complaints(self, *objects: Any) -> list[str]:
        """The lines on stderr when importing `objects` fails."""
        return self.refused("import", self.file("objects.ndjson", list(objects))).splitlines()

    def exported(self) -> list[dict[str, Any]]:
        """Everything there is, as `flask export` writes it."""
        result = self.run("export")
        assert result.exit_code == 0, result.stderr
        return [json.loads(line) for line in result.stdout.split("\n") if line]
