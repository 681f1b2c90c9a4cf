"""The page of a federation: how good the model is and for whom, what was sent, what was rejected.

One file without scripts or requests, in the style of a run's page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from markupsafe import Markup

from tastemaker import files, records
from tastemaker.report import tables
from tastemaker.report.federation_charts import charts
from tastemaker.report.holdings import holdings_chart
from tastemaker.report.page import NAME, Section
from tastemaker.report.tables import objects, part
from tastemaker.report.templates import page_of
from tastemaker.report.wording import (
    MISSING,
    clean,
    count,
    finite,
    number,
    percent,
    setting,
    things,
)

_SHOWN = 60
"""Rows of a table, at most."""
_UNITS = ("bytes", "kB", "MB", "GB", "TB")

Records = Sequence[Mapping[str, object]]


def write_page(run: Path) -> Path:
    """Write `report.html` from `results.json` and `metrics.jsonl` of a folder."""
    results = files.read_json(run / "results.json")
    path = run / NAME
    files.write_text(path, render(results, records.read(run / "metrics.jsonl"), run.resolve().name))
    return path


def render(results: Mapping[str, object], metrics: Records, run: str = "") -> str:
    """The page as HTML text.

    Args:
        results: Contents of `results.json`; any part may be missing.
        metrics: Lines of `metrics.jsonl`.
        run: Name of the folder.
    """
    told: Mapping[str, object] = clean(dict(results))
    lines: Records = [clean(dict(line)) for line in metrics]
    sections = [
        (Section("rounds", "Round by round", lambda run: None), rounds(told, lines)),
        (Section("clients", "Who takes part", lambda run: None), clients(told)),
        (Section("classes", "Classes", lambda run: None), classes(told)),
        (Section("rejected", "Rejected updates", lambda run: None), rejected(lines)),
        (Section("made", "How this was made", lambda run: None), made(told)),
    ]
    kept = [(section, shown) for section, shown in sections if shown]
    return page_of("federated.html", run=clean(run), head=head(told), sections=kept)


def head(results: Mapping[str, object]) -> dict[str, object]:
    """Method, what is federated, and the figures that matter most."""
    worst = {name: part(results, f"worst_{name}") for name in ("class", "client")}
    sent = part(results, "bytes")
    figures = [
        (_measure(results, "Accuracy"), percent(results.get("accuracy")), ""),
        ("NDCG@10", number(results.get("ndcg@10"), 3), _least(results.get("worst_ndcg@10"))),
        (
            "Worst class",
            percent(worst["class"].get("accuracy")),
            _named("class", worst["class"]),
        ),
        (
            "Worst client",
            percent(worst["client"].get("accuracy")),
            _named("client", worst["client"]),
        ),
        ("Rejected updates", count(part(results, "rejected").get("count")), ""),
        ("Sent, all clients", size(_sum(sent.get("down"), sent.get("up"))), ""),
    ]
    return {
        "method": str(part(results, "method").get("kind", "Federation")),
        "data": str(part(results, "data").get("name", "")),
        "figures": [one for one in figures if one[1] != MISSING],
        "warnings": [str(one) for one in tables.listed(results, "warnings")],
    }


def rounds(results: Mapping[str, object], metrics: Records) -> dict[str, object]:
    """What a reader needs to know of the whole, and what was measured round by round."""
    data, sent = part(results, "data"), part(results, "bytes")
    facts = {
        "Rounds": count(results.get("rounds")),
        "Failed rounds": count(results.get("failed")),
        "Clients": count(data.get("clients")),
        "Users": count(data.get("users")),
        "Items": count(data.get("items")),
        "Examples": count(data.get("examples")),
        "Held by the server": count(data.get("auxiliary")),
        "Test": count(data.get("test")),
        "Parameters": count(part(results, "model").get("parameters")),
        "To the clients": size(sent.get("down")),
        "From the clients": size(sent.get("up")),
        "Clipped updates": count(results.get("clipped")),
        "Privacy": _privacy(results),
    }
    return {
        "facts": [(name, value) for name, value in facts.items() if value != MISSING],
        "charts": [Markup(picture) for picture in charts(metrics, _measure(results, "Accuracy"))],
        "failed": any(line.get("status") == "failed" for line in metrics),
    }


def clients(results: Mapping[str, object]) -> dict[str, object] | None:
    """A row a client, the worst first, and who holds how much of which class."""
    rows = objects(results, "clients")
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: (_or_one(row.get("accuracy")), str(row.get("name"))))
    held = {
        str(row.get("name", "")): [finite(one) or 0.0 for one in tables.listed(row, "held")]
        for row in rows
    }
    names = [str(one.get("name", "")) for one in objects(results, "classes")]
    columns = [
        (title, name, told)
        for title, name, told in (
            ("users", "users", count),
            ("examples", "examples", count),
            ("classes", "classes", count),
            (_measure(results, "accuracy"), "accuracy", percent),
            ("NDCG@10", "ndcg@10", number),
            ("rejected updates", "rejected", count),
        )
        if any(name in row for row in rows)
    ]
    return {
        "columns": [title for title, _, _ in columns],
        "rows": [
            (str(row.get("name", "")), [told(row.get(name)) for _, name, told in columns])
            for row in ordered[:_SHOWN]
        ],
        "more": max(0, len(rows) - _SHOWN),
        "chart": Markup(holdings_chart(held, names)),
        "drawn": str(part(results, "data").get("parted", "")),
    }


def classes(results: Mapping[str, object]) -> list[tuple[str, str, str, str]] | None:
    """Class, its rows in the test, accuracy there, and how far the model is believed it."""
    rows = objects(results, "classes")
    ordered = sorted(rows, key=lambda row: (_or_one(row.get("accuracy")), str(row.get("name"))))
    return [
        (
            str(row.get("name", "")),
            count(row.get("test")),
            percent(row.get("accuracy")),
            number(row.get("credibility"), 3),
        )
        for row in ordered[:_SHOWN]
    ]


def rejected(metrics: Records) -> dict[str, object]:
    """Why updates were refused: a row a rule and client, the most frequent first."""
    told: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for line in metrics:
        for one in objects(dict(line), "rejected"):
            key = (str(one.get("rule", "")), str(one.get("client", "")))
            step = finite(line.get("round")) or 0.0
            told.setdefault(key, []).append((step, setting(one.get("value"))))
    ordered = sorted(told.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return {
        "rows": [
            (client, rule, count(len(some)), _span([at for at, _ in some]), some[-1][1])
            for (rule, client), some in ordered[:_SHOWN]
        ],
        "more": max(0, len(ordered) - _SHOWN),
    }


def made(results: Mapping[str, object]) -> dict[str, object]:
    """Options, hashes, versions and commit."""
    data = part(results, "data")
    identity = {"Commit": results.get("commit"), "Data sha256": data.get("sha256")}
    config = part(results, "config")
    federation = part(config, "federation")
    nested = {name: part(federation, name) for name in ("local", "gate", "privacy")}
    groups = {
        "Method": part(results, "method"),
        "Model": part(results, "model"),
        "Who holds what": part(config, "partition"),
        "Federation": {k: value for k, value in federation.items() if k not in nested},
        "Clients": nested["local"],
        "Gate": nested["gate"],
        "Privacy": nested["privacy"],
        "Versions": part(results, "versions"),
    }
    return {
        "command": "",
        "identity": [(k, setting(v)) for k, v in identity.items() if v not in (None, "", [])],
        "groups": [(name, tables.settings(group)) for name, group in groups.items() if group],
    }


def size(value: object) -> str:
    """A number of bytes in a unit in which it is short, such as `12.3 MB`."""
    known = finite(value)
    if known is None:
        return MISSING
    unit = 0
    while abs(known) >= 1000 and unit < len(_UNITS) - 1:
        known, unit = known / 1000, unit + 1
    return things(known, "byte") if unit == 0 else f"{number(known, 1)} {_UNITS[unit]}"


def _measure(results: Mapping[str, object], plain: str) -> str:
    """What the share of right answers is called."""
    return str(results.get("measure") or plain)


def _least(value: object) -> str:
    return "" if finite(value) is None else f"{number(value, 3)} for the worst client"


def _named(kind: str, one: Mapping[str, object]) -> str:
    return f"{kind} {one['name']}" if "name" in one else ""


def _privacy(results: Mapping[str, object]) -> str:
    """ε and δ where noise was added."""
    privacy = part(results, "privacy")
    if finite(privacy.get("epsilon")) is None:
        return MISSING
    return f"ε {number(privacy['epsilon'], 2)} at δ {setting(privacy.get('delta'))}"


def _span(rounds_: Sequence[float]) -> str:
    first, last = min(rounds_), max(rounds_)
    return f"{first:,.0f}" if first == last else f"{first:,.0f} to {last:,.0f}"


def _sum(*values: object) -> float | None:
    known = [one for value in values if (one := finite(value)) is not None]
    return sum(known) if known else None


def _or_one(value: object) -> float:
    known = finite(value)
    return 1.0 if known is None else known
