"""Visual tool use: edits of a picture, sandboxes and how they end what does not end, charts, text.

Edits are of a noisy 800 x 600 picture with 12 boxes, 6 of them named; endless snippets are those of
the tests, each with the sandbox's usual limits. One thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from PIL import Image

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.boxes import Axis, Box
from tastemaker.models.header_boxes import header_boxes
from tastemaker.models.picture_text import TextReader
from tastemaker.reinforce.sandbox import SandboxKind, open_sandbox, run_snippet
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.workbench import Workbench
from tastemaker.worlds.chart_data import ChartOptions
from tastemaker.worlds.charts import AskedOptions, asked_chart

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
from tests.reinforce.escapes import ENDLESS  # noqa: E402

WIDE, HIGH, MANY = 800, 600, 12
GOOD = "image_2 = focus_on_columns_with_mask(image_1, ['n1'], columns_bbox)\ndisplay(image_2)"


def row(what: str, ours: float, target: float | None = None) -> dict[str, Any]:
    """One line of the results; the target is a bar not to be above."""
    met = None if target is None else ours <= target
    return {"what": what, "ours": ours, "peer": None, "ratio": None, "target": target, "met": met}


def milliseconds(do: Callable[[], object], times: int) -> float:
    """Median CPU of so many times."""
    took = []
    for _ in range(times):
        started = time.process_time()
        do()
        took.append(1000 * (time.process_time() - started))
    return round(median(took), 3)


def the_picture() -> tuple[Image.Image, dict[Axis, dict[str, Box]]]:
    """Noise, with columns and rows over all of it."""
    pixels = np.random.default_rng(0).integers(0, 255, (HIGH, WIDE, 3), dtype=np.uint8)
    across, down = WIDE / MANY, HIGH / MANY
    columns = {f"n{n}": Box(n * across, 0, (n + 1) * across, HIGH) for n in range(MANY)}
    rows = {f"n{n}": Box(0, n * down, WIDE, (n + 1) * down) for n in range(MANY)}
    boxes: dict[Axis, dict[str, Box]] = {
        "columns": columns, "rows": rows, "x_values": columns, "y_values": rows
    }  # fmt: skip
    return Image.fromarray(pixels), boxes


def edits() -> list[dict[str, Any]]:
    """Each of the twelve."""
    image, boxes = the_picture()
    names = [f"n{n}" for n in range(MANY // 2)]
    return [
        row(f"{WIDE} x {HIGH}: CPU-ms of {name}",
            milliseconds(lambda tool=tool: tool(image, names, boxes[tool.axis]), 50), 3)
        for name, tool in TOOLS.items()
    ]  # fmt: skip


def snippets(kind: SandboxKind) -> list[dict[str, Any]]:
    """A good one, and the longest that an endless one lasts."""
    image, boxes = the_picture()
    with open_sandbox(kind) as sandbox:
        good = milliseconds(lambda: run_snippet(sandbox, GOOD, Workbench(image, boxes)), 50)
        lasted = {}
        for name, code in ENDLESS.items():
            started = time.perf_counter()
            ran = run_snippet(sandbox, code, Workbench(image, boxes))
            lasted[name] = time.perf_counter() - started
            assert ran.image is None and ran.error, name
    longest = max(lasted, key=lambda name: lasted[name])
    what = f"{kind}: s that the longest of {len(ENDLESS)} endless snippets lasts ({longest})"
    return [
        row(f"{kind}: CPU-ms here of a snippet of one edit at {WIDE} x {HIGH}", good),
        row(what, round(lasted[longest], 3), 1.5),
    ]


def drawing(wide: int, high: int) -> dict[str, Any]:
    """Charts of all kinds."""
    options, numbers = ChartOptions(width=wide, height=high), iter(range(10**6))
    took = milliseconds(lambda: asked_chart(options, AskedOptions(), "train", next(numbers)), 50)
    return row(f"{wide} x {high}: CPU-ms to draw a chart and ask about it", took)


def charts_and_text() -> list[dict[str, Any]]:
    """Drawing charts, and finding boxes by reading them."""
    rows = [drawing(48, 48), drawing(WIDE, HIGH)]
    read = TextReader()
    table = asked_chart(ChartOptions(("table",), WIDE, HIGH), AskedOptions(), "train", 0)
    image = table.drawn.image
    found = milliseconds(lambda: header_boxes(read(image), image.size, "table"), 5)
    return [*rows, row(f"{WIDE} x {HIGH}: CPU-ms to read a table and find its boxes", found)]


def main() -> None:
    """Measure, print and write `results/bench-vtool.json`."""
    rows = [*edits(), *snippets("monty"), *snippets("grammar"), *charts_and_text()]
    for one in rows:
        print(one["what"], one["ours"], one["target"] or "")
    results = {"name": "vtool", "rows": rows, **environment()}
    files.write_json(ROOT / "results" / "bench-vtool.json", results)


if __name__ == "__main__":
    main()
