"""The pictures of the page: SVG that is legible on white and on dark."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pygal
from pygal.style import Style

from benches.scale.judged import NAMES, Results, families, of, short

# It puts an importer of the old kind before all others, of which Python warns at every import.
sys.meta_path[:] = [one for one in sys.meta_path if hasattr(one, "find_spec")]

GREY = "#7d8590"
"""Of words and lines: it stands out from white and from dark alike."""
COLOURS = {"sqlite": "#2f81f7", "mysql": "#c4710d"}
DASHED = {"width": 3, "dasharray": "6, 4"}
SOLID = {"width": 3}


def chart(kind: type[Any], title: str, colours: tuple[str, ...], **more: Any) -> Any:
    """An empty chart in the style of all."""
    style = Style(
        background="transparent", plot_background="transparent", foreground=GREY,
        foreground_strong=GREY, foreground_subtle="#7d859055", guide_stroke_color="#7d859055",
        major_guide_stroke_color="#7d859055", colors=colours, font_family="sans-serif",
        title_font_size=17, label_font_size=13, major_label_font_size=13, legend_font_size=13,
        value_font_size=13, opacity="1", stroke_width="2.5", value_colors=(GREY,) * len(colours),
    )  # fmt: skip
    return kind(
        style=style, title=title, js=(), width=560, height=340, legend_at_bottom=True,
        legend_at_bottom_columns=2, truncate_legend=-1, include_x_axis=True, dots_size=4,
        show_y_guides=True, margin=12, print_values=False, **more,
    )  # fmt: skip


def save(drawn: Any, name: str, folder: Path) -> str:
    """The chart is in `folder` -> the name of its file; its ids do not change with every run."""
    file = folder / f"{name}.svg"
    text = drawn.render(is_unicode=True).replace(drawn.uuid, name)
    file.write_text(text + "\n")
    return file.name


def family_pictures(results: Results, folder: Path) -> Iterator[tuple[str, str]]:
    """For each family of requests, p50 and p95 by size on both engines."""
    both = {engine: families(results, engine) for engine in NAMES}
    for family in dict.fromkeys(family for found in both.values() for family in found):
        shown = {engine: found[family] for engine, found in both.items() if family in found}
        sizes = sorted({size for by_size in shown.values() for size in by_size})
        colours = tuple(COLOURS[engine] for engine in shown for _ in range(2))
        drawn = chart(pygal.Line, f"{family}: ms of a page of 100", colours)
        drawn.x_labels = [short(size) for size in sizes]
        for engine, by_size in shown.items():
            for at, (word, stroke) in enumerate((("p50, dashed", DASHED), ("p95", SOLID))):
                values = [by_size[size][at] if size in by_size else None for size in sizes]
                drawn.add(f"{NAMES[engine]} {word}", values, stroke_style=stroke)
        yield family, save(drawn, f"family-{family.replace(' ', '-')}", folder)


def index_picture(results: Results, folder: Path) -> Iterator[tuple[str, str]]:
    """What each further index costs a task of a batch."""
    shown = {engine: of(results, "indexes", engine) for engine in NAMES}
    shown = {engine: found for engine, found in shown.items() if found}
    if not shown:
        return
    colours = tuple(COLOURS[engine] for engine in shown)
    drawn = chart(pygal.XY, "µs of a task, by number of indexes", colours)
    for engine, by_size in shown.items():
        told = next(iter(by_size.values()))
        drawn.add(NAMES[engine], [tuple(point) for point in told["points"]], stroke_style=SOLID)
    yield "What each index costs", save(drawn, "indexes", folder)


def rate_pictures(results: Results, folder: Path) -> Iterator[tuple[str, str]]:
    """Pages a second by threads of one process, and by processes."""
    shown = {engine: of(results, "throughput", engine) for engine in NAMES}
    rates = {engine: told["rates"] for engine, found in shown.items() for told in found.values()}
    for name, other in (("threads", ("workers", 1)), ("workers", ("threads", 4))):
        picked = {
            engine: [row for row in rows if row[other[0]] == other[1]]
            for engine, rows in rates.items()
        }
        if not picked:
            return
        word = "processes of 4 threads" if name == "workers" else "threads of one process"
        colours = tuple(COLOURS[engine] for engine in picked)
        drawn = chart(pygal.Bar, f"pages of 100 a second, by {word}", colours)
        drawn.x_labels = [str(row[name]) for row in next(iter(picked.values()))]
        for engine, rows in picked.items():
            drawn.add(NAMES[engine], [row["rate"] for row in rows])
        yield f"Pages a second by {word}", save(drawn, f"rate-{name}", folder)


def brief(words: str) -> str:
    """A peer's name without what it is made of."""
    name, _, variant = words.partition(", ")
    return ", ".join(filter(None, (name.partition(" + ")[0], variant)))


def peer_picture(results: Results, folder: Path) -> Iterator[tuple[str, str]]:
    """Processor time of a page, of this service and of the peers, at the largest size."""
    shown = {engine: of(results, "peers", engine) for engine in NAMES}
    shown = {engine: found for engine, found in shown.items() if found}
    if not shown:
        return
    colours = tuple(COLOURS[engine] for engine in shown)
    drawn = chart(
        pygal.HorizontalBar, "ms of processor time for a page of 100", colours, max_scale=6
    )
    tables = {engine: found[max(found)]["peers"] for engine, found in shown.items()}
    drawn.x_labels = [brief(row["words"]) for row in reversed(next(iter(tables.values())))]
    for engine, rows in tables.items():
        drawn.add(NAMES[engine], [row["ms"] for row in reversed(rows)])
    yield "The peers", save(drawn, "peers", folder)


def drawn(results: Results, folder: Path) -> dict[str, list[tuple[str, str]]]:
    """All pictures are in `folder` and no others -> by kind, what each shows and its file."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.svg"):
        file.unlink()
    kinds = {"families": family_pictures, "indexes": index_picture, "rates": rate_pictures,
             "peers": peer_picture}  # fmt: skip
    return {kind: list(draw(results, folder)) for kind, draw in kinds.items()}
