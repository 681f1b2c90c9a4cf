"""Fill README and docs from `results/*.json`; `--check` says whether something is stale.

A region `<!-- results:NAME -->` … `<!-- /results -->` holds the figure and the table of
`results/NAME.json`; `<!-- peers:NAME -->` holds a benchmark's comparison with other packages alone,
`<!-- tables:NAME -->` what a recipe measured that has no verdict.
Figures lie in `docs/figures/`.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import sys
from functools import cache
from pathlib import Path
from typing import Any

from figures import figure, fronts, on_paper

from tastemaker.report.video import TITLES
from tastemaker.report.video_charts import band_chart

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "docs" / "figures"
COLUMNS = ("what", "ours", "peer", "ratio", "target", "met")
REGION = re.compile(
    r"(<!-- (results|peers|tables):([\w.-]+) -->\n).*?(<!-- /results -->)", re.DOTALL
)


def recipe_table(found: dict[str, Any]) -> str:
    """Arms × metrics, then the relations with their verdicts."""
    metrics = list(dict.fromkeys(metric for arm in found["arms"].values() for metric in arm))
    lines = [
        f"| arm | {' | '.join(m.upper() for m in metrics)} |",
        "|---" * (1 + len(metrics)) + "|",
    ]
    for arm, values in found["arms"].items():
        cells = [f"{statistics.fmean(values[m]):.4f}" if m in values else "–" for m in metrics]
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
    """A row a measurement; columns that no row fills are left out."""
    rows = found["rows"]
    keys = [key for key in COLUMNS if any(row[key] is not None for row in rows)]
    lines = [f"| {' | '.join(keys)} |", "|---" * len(keys) + "|"]
    lines += [f"| {' | '.join(cell(row[key]) for key in keys)} |" for row in rows]
    return "\n".join(lines) + "\n"


def cell(value: object) -> str:
    """Yes, no, a dash for nothing, a number without needless digits, or the text."""
    if value is None or isinstance(value, bool):
        return {None: "–", True: "yes", False: "no"}[value]
    large = isinstance(value, int | float) and abs(value) >= 100
    return f"{value:,.0f}" if large else f"{value}"


def more_tables(found: dict[str, Any]) -> str:
    """A table a title; numbers with four digits, larger ones with fewer."""
    parts = []
    for title, rows in found["tables"].items():
        names = list(dict.fromkeys(name for row in rows.values() for name in row))
        lines = [f"| {title} | {' | '.join(names)} |", "|---" * (1 + len(names)) + "|"]
        for arm, row in rows.items():
            cells = [f"{row[name]:.4g}" if name in row else "–" for name in names]
            lines.append(f"| {arm} | {' | '.join(cells)} |")
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def peers_table(found: dict[str, Any]) -> str:
    """SASRec beside the other packages: speed and memory, in the units of the benchmark."""
    peers = {"RecTools": "rectools", "RecBole": "recbole"}
    cases = found["cases"]
    versions = {name: cases[key][0]["versions"]["peer"] for name, key in peers.items()}
    heads = ["Tastemaker", *(f"{name} {version}" for name, version in versions.items())]

    def measured(what: str, peer: str) -> dict[str, Any]:
        wanted = f"SASRec, {what}, against {peer}"
        return next(r for r in found["rows"] if r["what"].startswith(wanted) and r["target"])

    train = [
        measured("full softmax, targets/CPU-s", "RecTools"),
        measured("full softmax", "RecBole"),
    ]
    lists = measured("top-10 lists, users/CPU-s", "RecTools")
    peaks = [peak(cases[key], cases["sasrec"]) for key in ("sasrec", *peers.values())]
    times = [f"{row['ratio'].split()[0]} ×" for row in train]
    rows = [
        ["training, targets a CPU-second", train[0]["ours"], train[0]["peer"], train[1]["peer"]],
        ["Tastemaker is faster by (median of pairs)", None, *times],
        ["top-10 lists, users a CPU-second", lists["ours"], lists["peer"], None],
        ["Tastemaker is faster by (median of pairs)", None, f"{lists['ratio'].split()[0]} ×", None],
        ["most memory in training, MB", *peaks],
    ]
    lines = [f"| SASRec, full softmax | {' | '.join(heads)} |", "|---" * (1 + len(heads)) + "|"]
    lines += [f"| {' | '.join(map(cell, row))} |" for row in rows]
    return "\n".join(lines) + "\n"


def peak(cases: list[dict[str, Any]], ours: list[dict[str, Any]]) -> str:
    """The most memory of these cases in MB, and of how many users where they are not as many."""
    users = cases[0]["shapes"]["users"]
    fewer = "" if users == ours[0]["shapes"]["users"] else f" (of {users:,} users only)"
    return cell(max(case["peak_rss_mb"] for case in cases)) + fewer


@cache
def drawn(path: Path) -> str:
    """The figure of a result, which takes a second to draw and stands on several pages."""
    return figure(json.loads(path.read_text()))


def curves(found: dict[str, Any]) -> dict[str, str]:
    """Value → SVG of it by budget, with a band for each line; nothing where there are none."""
    lines = found.get("curves", {})
    names = dict.fromkeys(name for line in lines.values() for name in line)
    return {
        name: on_paper(
            band_chart(
                {n: line[name] for n, line in lines.items()}, TITLES[name], share=name == "error"
            )
        )
        for name in names
    }


def rendered(page: Path) -> str:
    """The page with every region filled."""

    def fill(region: re.Match[str]) -> str:
        kind, name, end = region[2], region[3], region[4]
        path = ROOT / "results" / f"{name}.json"
        if not path.is_file():
            return f"{region[1]}Not measured yet.\n{end}"
        found = json.loads(path.read_text())
        if kind != "results":
            table = peers_table(found) if kind == "peers" else more_tables(found)
            return f"{region[1]}{table}{end}"
        table = bench_table(found) if "rows" in found else recipe_table(found)
        if not drawn(path):
            return f"{region[1]}{table}{end}"
        where = os.path.relpath(FIGURES / f"{name}.svg", page.parent)
        image = f"![The numbers of the table below]({where})"
        return f"{region[1]}{image}\n\n{table}{end}"

    return REGION.sub(fill, page.read_text())


def main() -> int:
    """Render, or check with `--check`."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    wanted = {page: rendered(page) for page in pages}
    for path in sorted((ROOT / "results").glob("*.json")):
        found = json.loads(path.read_text())
        if picture := drawn(path):
            wanted[FIGURES / f"{path.stem}.svg"] = picture + "\n"
        if "fronts" in found:
            wanted[FIGURES / f"{path.stem}-fronts.svg"] = fronts(found) + "\n"
        for name, picture in curves(found).items():
            wanted[FIGURES / f"{path.stem}-{name}.svg"] = picture + "\n"
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
