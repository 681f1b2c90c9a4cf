"""Fill README and docs from `results/*.json`; `--check` says whether something is stale.

A region `<!-- results:NAME -->` … `<!-- /results -->` holds the figure and the table of
`results/NAME.json`. Figures lie in `docs/figures/`.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
from pathlib import Path
from typing import Any

from figures import figure

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
REGION = re.compile(r"(<!-- results:([\w.-]+) -->\n).*?(<!-- /results -->)", re.DOTALL)


def recipe_table(found: dict[str, Any]) -> str:
    """Arms × metrics, then the relations with their verdicts."""
    metrics = list(next(iter(found["arms"].values())))
    lines = [
        f"| arm | {' | '.join(m.upper() for m in metrics)} |",
        "|---" * (1 + len(metrics)) + "|",
    ]
    for arm, values in found["arms"].items():
        cells = [f"{statistics.fmean(values[metric]):.4f}" for metric in metrics]
        lines.append(f"| {arm} | {' | '.join(cells)} |")
    seeds = ", ".join(map(str, found["seeds"]))
    head = f"{found['data']}, {found['users']:,} test users, seeds {seeds}"
    lines = [*(f"**{note}**\n" for note in found["notes"]), f"{head}.\n", *lines, ""]
    lines += ["| | claim | difference (95 % interval) | verdict |", "|---|---|---|---|"]
    for one in found["relations"]:
        low, high = one["ci95"]
        gap = f"{one['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"
        metric = f" ({one['metric'].upper()})"
        lines.append(f"| {one['id']} | {one['claim']}{metric} | {gap} | {one['verdict']} |")
    return "\n".join(lines) + "\n"


def bench_table(found: dict[str, Any]) -> str:
    """A row a measurement."""
    lines = ["| what | ours | peer | ratio | target | met |", "|---|---|---|---|---|---|"]
    for row in found["rows"]:
        cells = [row[key] for key in ("what", "ours", "peer", "ratio", "target", "met")]
        words = {None: "–", True: "yes", False: "no"}
        shown = [words[c] if c is None or isinstance(c, bool) else f"{c}" for c in cells]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines) + "\n"


def rendered(page: Path) -> str:
    """The page with every region filled."""

    def fill(region: re.Match[str]) -> str:
        name = region[2]
        path = ROOT / "results" / f"{name}.json"
        if not path.is_file():
            return f"{region[1]}Not measured yet.\n{region[3]}"
        found = json.loads(path.read_text())
        table = bench_table(found) if "rows" in found else recipe_table(found)
        if not figure(found):
            return f"{region[1]}{table}{region[3]}"
        where = os.path.relpath(FIGURES / f"{name}.svg", page.parent)
        image = f"![The numbers of the table below]({where})"
        return f"{region[1]}{image}\n\n{table}{region[3]}"

    return REGION.sub(fill, page.read_text())


def main() -> int:
    """Render, or check with `--check`."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    wanted = {page: rendered(page) for page in pages}
    for path in sorted((ROOT / "results").glob("*.json")):
        if picture := figure(json.loads(path.read_text())):
            wanted[FIGURES / f"{path.stem}.svg"] = picture + "\n"
    stale = [
        path for path, text in wanted.items() if not path.is_file() or path.read_text() != text
    ]
    if "--check" not in sys.argv:
        FIGURES.mkdir(exist_ok=True)
        for path in stale:
            path.write_text(wanted[path])
    sys.stdout.write("".join(f"{path.relative_to(ROOT).as_posix()}\n" for path in stale))
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    raise SystemExit(main())
