"""The README's tables, made from the code's own rows. `--check` says whether they are current."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from app import config, errors  # noqa: E402 - the checkout is not installed

README = ROOT / "README.md"


def cell(text: str) -> str:
    """`text` as it can stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def settings() -> Iterator[str]:
    """Every setting with its default."""
    yield "| variable | meaning | default |"
    yield "|---|---|---|"
    for row in config.SETTINGS:
        default = f"`{row.default}`" if row.default else "–"
        yield f"| `{row.name}` | {cell(row.sentence)} | {default} |"


def codes() -> Iterator[str]:
    """Every refusal that a caller can meet, by status."""
    yield "| status | code | message |"
    yield "|---|---|---|"
    for kind in sorted(errors.refusals(), key=lambda kind: (kind.status, kind.code)):
        yield f"| {kind.status} | `{kind.code}` | {cell(template(kind))} |"


def template(kind: type[errors.Refusal]) -> str:
    """The message of `kind`, its variable parts in italics."""
    return re.sub(r"\{(\w+)\}", r"*\1*", kind.__doc__ or "")


TABLES = {"settings": settings, "errors": codes}


def current(text: str) -> str:
    """`text` with every table between its markers as the code says it now."""
    for name, rows in TABLES.items():
        begin, end = f"<!-- {name}: made by `make docs` -->", f"<!-- end of {name} -->"
        table = "\n".join((begin, *rows(), end))
        text, found = re.subn(
            f"{re.escape(begin)}.*?{re.escape(end)}", lambda _, new=table: new, text, flags=re.S
        )
        if not found:
            sys.exit(f"{README.name} has lost the markers of its table of {name}")
    return text


def main() -> None:
    """Write the tables, or end with an error when `--check` finds an old one."""
    text = README.read_text(encoding="utf-8")
    if "--check" in sys.argv:
        sys.exit("README.md is not current: run `make docs`" if current(text) != text else 0)
    README.write_text(current(text), encoding="utf-8")


if __name__ == "__main__":
    main()
