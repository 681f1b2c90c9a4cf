"""`recommend`: what is asked for, what is shown, and what is written."""

import csv
import json
from pathlib import Path

import polars as pl
import pytest

from tastemaker.cli import main
from tastemaker.commands.recommend import RecommendOptions, show_answer
from tastemaker.errors import BadInput


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> dict:  # type: ignore[type-arg]
    assert main(["recommend", *words, "--json"]) == 0
    found: dict = json.loads(capsys.readouterr().out)  # type: ignore[type-arg]
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["recommend", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_answers_show_history_beside_recommendations(capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"title": "One [red]"}, {"title": "Two"}]
    history = [{"item": "o", "title": "Old"}]
    found = {
        "user": "7", "history": history, "items": items, "reason": "Because.", "complete": False,
    }  # fmt: skip
    show_answer(found)
    out = capsys.readouterr().out
    assert "User 7" in out
    assert "newest first" in out
    assert out.index("Old") < out.index("One [red]") < out.index("Two") < out.index("Because.")
    assert "Only 2 items" in out


@pytest.mark.parametrize(
    "asked",
    [
        {}, {"user": "u", "users": "all", "to": "a.csv"}, {"users": "all"},
        {"user": "u", "to": "a.csv"},
    ],
)  # fmt: skip
def test_one_user_or_many_into_a_file(asked: dict[str, str]) -> None:
    with pytest.raises(BadInput):
        RecommendOptions("run", **asked)  # type: ignore[arg-type]


def test_groups_pages_and_lists(
    capsys: pytest.CaptureFixture[str], finished_run: Path, tmp_path: Path
) -> None:
    run = str(finished_run)
    plain = [one["item"] for one in answered(capsys, run, "--user", "u1")["items"]]
    paged = answered(capsys, run, "--user", "u1", "--k", "4", "--offset", "3")["items"]
    assert [one["item"] for one in paged] == plain[3:7]
    odd = answered(capsys, run, "--user", "u1", "--only", "odd")
    assert {tuple(one["categories"]) for one in odd["items"]} == {("Odd",)}
    both = answered(capsys, run, "--user", "u1", "--only", "odd", "--only", "Even")
    assert [one["item"] for one in both["items"]] == plain
    (tmp_path / "allow.csv").write_bytes(
        b"\xef\xbb\xbfitem_id,why\r\n%s,x\r\n\r\n" % plain[5].encode()
    )
    (tmp_path / "deny.txt").write_text(f'"{plain[0]}"\n\n  {plain[1]}  \n')
    lists = ["--user", "u1", "--allow", str(tmp_path / "allow.csv")]
    assert [one["item"] for one in answered(capsys, run, *lists)["items"]] == [plain[5]]
    lists = ["--user", "u1", "--k", "3", "--deny", str(tmp_path / "deny.txt")]
    assert [one["item"] for one in answered(capsys, run, *lists)["items"]] == plain[2:5]


def test_unknown_items_are_named_with_their_lines(
    capsys: pytest.CaptureFixture[str], finished_run: Path, tmp_path: Path
) -> None:
    listed = tmp_path / "deny.txt"
    listed.write_text("i1\nno-item\n\n" + "\n".join(f"x{n}" for n in range(30)))
    err = refused(capsys, str(finished_run), "--user", "u1", "--deny", str(listed))
    assert "line 2 'no-item'" in err
    assert "line 4 'x0'" in err
    assert "and 21 more" in err
    assert str(listed) in err


@pytest.mark.parametrize("words", [["Even=1", "Even=2"], ["Even=1", "even=1"]])
def test_a_group_is_boosted_once(
    capsys: pytest.CaptureFixture[str], finished_run: Path, words: list[str]
) -> None:
    boosts = [part for word in words for part in ("--boost", word)]
    assert "twice" in refused(capsys, str(finished_run), "--user", "u1", *boosts)


def test_many_users_into_a_file(
    capsys: pytest.CaptureFixture[str], finished_run: Path, tmp_path: Path
) -> None:
    users, to = tmp_path / "users.csv", tmp_path / "recs.csv"
    users.write_text("user_id\nu2\nnobody\nu1\nu2\n")
    words = [str(finished_run), "--users", str(users), "--to", str(to), "--k", "3"]
    found = answered(capsys, *words)
    assert (found["users"], found["unknown"], found["rows"]) == (3, 1, 9)
    with to.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["user_id"] for row in rows] == ["u2"] * 3 + ["nobody"] * 3 + ["u1"] * 3
    assert rows[3]["known"] == "false"
    assert main(["recommend", *words]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "9 items for 3 users" in out
    assert "1 user is not in the data" in out
    words = [str(finished_run), "--users", "all", "--to", str(tmp_path / "all.parquet")]
    assert answered(capsys, *words)["users"] == 60
    assert pl.read_parquet(tmp_path / "all.parquet")["user_id"].n_unique() == 60


@pytest.mark.parametrize("to", ["recs.xlsx", "recs", "none/recs.csv", "."])
def test_a_file_that_cannot_be_written_is_refused_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "Error" in refused(capsys, "no-run", "--users", "all", "--to", to)
    assert list(tmp_path.iterdir()) == []


def test_an_answer_without_items_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    history = [{"item": "o", "title": "Old"}]
    found = {"user": "7", "history": history, "items": [], "reason": "Why.", "complete": False}
    show_answer(found)
    out = capsys.readouterr().out
    assert "No item is left" in out
    assert "Recommended" not in out


def test_a_run_without_heads_says_that_none_spoke_and_knows_no_names_of_heads(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = answered(capsys, str(finished_run), "--user", "u1", "--k", "3")["items"]
    names = ["item", "title", "score", "categories", "parts", "intent", "because", "considered"]
    assert list(items[0]) == names
    assert {item["intent"] for item in items} == {""}
    for option, value in (("--only", "short-term"), ("--boost", "short-term=0.3")):
        err = refused(capsys, str(finished_run), "--user", "u1", option, value)
        assert "no group 'short-term'" in err and "Groups here: All, Even, Odd." in err
        assert "Heads" not in err
    to = tmp_path / "r.csv"
    assert main(["recommend", str(finished_run), "--users", "all", "--to", str(to)]) == 0
    assert to.read_text().splitlines()[0] == "user_id,known,rank,item_id,title,score,model"


def test_items_lie_apart_and_say_why(
    finished_run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run = str(finished_run)
    plain = answered(capsys, run, "--user", "u1")["items"]
    same = answered(capsys, run, "--user", "u1", "--diversify", "0")["items"]
    apart = answered(capsys, run, "--user", "u1", "--diversify", "1", "--because")["items"]
    assert same == plain
    assert apart[0]["item"] == plain[0]["item"] and apart != plain
    named = next(item for item in apart if item["because"])
    assert main(["recommend", run, "--user", "u1", "--diversify", "1", "--because"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{named['title']} because of: {named['because'][0]['title']}" in shown
    to = str(tmp_path / "all.csv")
    for words in (
        ("--user", "u1", "--diversify", "2"),
        ("--user", "u1", "--k", "1", "--diversify", "1"),
        ("--users", "all", "--to", to, "--because"),
    ):
        refused(capsys, run, *words)
    assert main(["recommend", run, "--users", "all", "--to", to, "--diversify", "0.5"]) == 0
