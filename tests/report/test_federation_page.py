"""What the tables of a federation's page are sorted by, count and leave out."""

from typing import Any

from tastemaker.report.federation import classes, clients, head, rejected, rounds
from tests.report.synthetic_rounds import results


def line(number: int, *sent: tuple[str, str, object], status: str = "ok") -> dict[str, Any]:
    some = [{"client": client, "rule": rule, "value": value} for client, rule, value in sent]
    return {"round": number, "status": status, "rejected": some}


def test_rejections_are_one_row_a_rule_and_client_the_most_frequent_first() -> None:
    lines = [
        line(2, ("3", "norm", "first"), ("8", "examples", -4)),
        line(5, ("3", "norm", "last"), ("3", "finite", "NaN")),
        line(1200, ("8", "examples", -5), ("8", "examples", -6)),
    ]
    found = rejected(lines)
    rows = found["rows"]
    assert isinstance(rows, list)
    assert [row[:4] for row in rows] == [
        ("8", "examples", "3", "2 to 1,200"), ("3", "norm", "2", "2 to 5"),
        ("3", "finite", "1", "5"),
    ]  # fmt: skip
    assert rows[1][4] == "last" and found["more"] == 0


def test_more_rejections_than_are_shown_are_counted() -> None:
    found = rejected([line(1, *((str(client), "norm", "") for client in range(63)))])
    assert isinstance(found["rows"], list) and len(found["rows"]) == 60 and found["more"] == 3


def test_who_was_not_measured_stands_behind_all_who_were() -> None:
    for table, kind in ((clients, "clients"), (classes, "classes")):
        rows = [{"name": "unknown"}, {"name": "good", "accuracy": 0.9},
                {"name": "b", "accuracy": 0.0}, {"name": "a", "accuracy": 0.0}]  # fmt: skip
        found: Any = table({kind: rows})
        shown = found["rows"] if isinstance(found, dict) else found
        assert [row[0] for row in shown] == ["a", "b", "good", "unknown"]


def test_a_class_is_told_with_what_the_server_believes_of_it() -> None:
    row = {"name": "k", "test": 1234, "accuracy": 0.5, "credibility": 0.25}
    (found,) = classes({"classes": [row]}) or []
    assert found[1] == "1,234" and found[2].startswith("50.0") and found[3] == "0.250"


def test_figures_are_those_that_are_known() -> None:
    figures: Any = head(results())["figures"]
    told = {name: (value, note) for name, value, note in figures}
    assert told["Sent, all clients"][0] == "41.6 MB" and told["Rejected updates"][0] == "48"
    assert told["Worst class"][1] == "class 8" and told["Worst client"][1] == "client 9"
    only: Any = head({"accuracy": 0.5})["figures"]
    assert [name for name, _, _ in only] == ["Accuracy"]


def test_a_failed_round_and_privacy_are_told_where_there_are_such() -> None:
    assert rounds({}, [line(1)])["failed"] is False
    assert rounds({}, [line(1), line(2, status="failed")])["failed"] is True
    private = {"privacy": {"epsilon": 3.456, "delta": 1e-5}, "bytes": {"down": 10**6, "up": 10**3}}
    assert dict(rounds(private, [])["facts"]) == {  # type: ignore[call-overload]
        "To the clients": "1.0 MB", "From the clients": "1.0 kB", "Privacy": "ε 3.46 at δ 1e-05",
    }  # fmt: skip
