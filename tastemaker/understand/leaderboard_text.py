"""A leaderboard as a Markdown page, for a README or an issue."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tastemaker.counts import counted
from tastemaker.files import JsonObject
from tastemaker.inert import inert
from tastemaker.understand.leaderboard import COLUMNS


def markdown(board: JsonObject) -> str:
    """The leaderboard as a Markdown page."""
    parts = ["# GISTBench leaderboard", ""]
    for ranking in board["rankings"]:
        parts += [f"## {_safe(ranking['task']['name'])}, {ranking['mode']} mode", ""]
        parts += [_told(ranking), "", *_scores(ranking), ""]
        if ranking["comparisons"]:
            parts += [*_differences(ranking), ""]
        if any(ranking["counting"].values()):
            parts += [*_counting(ranking), ""]
    return "\n".join(parts)


def _told(ranking: JsonObject) -> str:
    judge = ranking["judge"]
    hashes = {
        "task": ranking["task"]["sha256"],
        "oracle": ranking["oracle_sha256"],
        "taxonomy": ranking["taxonomy_sha256"],
    }
    known = ", ".join(f"{name} `{(value or 'none')[:12]}`" for name, value in hashes.items())
    words = f"{counted(ranking['users'], 'user')}, {ranking['excluded']:,} left out that the "
    words += f"oracle does not know; judge: {_safe(judge['name']) if judge else 'none'}; {known}."
    return f"{words} {_safe(ranking['task'].get('note', ''))}".strip()


def _scores(ranking: JsonObject) -> list[str]:
    titles = [*COLUMNS.values(), "failed users", "failed interests", "tokens"]
    rows = [
        [
            str(place),
            _safe(label),
            *(_cell(numbers.get(name)) for name in COLUMNS),
            f"{ranking['failures'][label]['users']:,}",
            f"{ranking['failures'][label]['interests']:,}",
            f"{_tokens(ranking['spent'][label]['tokens']['model']):,}",
        ]
        for place, (label, numbers) in enumerate(ranking["models"].items(), 1)
    ]
    return _table(["", "model", *titles], rows)


def _differences(ranking: JsonObject) -> list[str]:
    title = f"{COLUMNS[ranking['by']]} against the first"
    rows = [
        [_safe(pair["a"]), _cell({**pair, "mean": pair["difference"]}), f"{pair['p']:.4f}"]
        for pair in ranking["comparisons"]
    ]
    return _table(["model", title, "p, Holm-corrected"], rows)


def _counting(ranking: JsonObject) -> list[str]:
    kinds = list(dict.fromkeys(kind for own in ranking["counting"].values() for kind in own))
    rows = [
        [_safe(label), *(_cell(own.get(kind, {}).get("error")) for kind in kinds)]
        for label, own in ranking["counting"].items()
    ]
    return _table(["counting error", *(kind.replace("_", " ") for kind in kinds)], rows)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [titles, ["---"] * len(titles), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _cell(value: JsonObject | None) -> str:
    if not value:
        return "–"
    low, high = value["ci95"]
    return f"{value['mean']:.3f} [{low:.3f}, {high:.3f}]"


def _tokens(spent: JsonObject) -> int:
    return int(spent["prompts"]) + int(spent["replies"])


def _safe(text: str) -> str:
    """Foreign text on one line, with what Markdown reads escaped."""
    return re.sub(r"([\\`*_{}\[\]<>()#|~&!])", r"\\\1", inert(text))
