"""What `data` shows."""

import pytest

from tastemaker.cli import main
from tastemaker.commands.data import show_checked, show_description

CHECKED = {
    "ok": True,
    "name": "shop",
    "users": 1200,
    "items": 34,
    "interactions": 5000,
    "from_to": ["2020-01-01", "2024-12-31"],
    "learnt": 4000,
    "repeats": 77,
    "events": [
        {"event": "view", "role": "implicit_positive", "count": 4000, "learnt": 4000},
        {"event": "skip", "role": "implicit_negative", "count": 1000, "learnt": 0},
    ],
    "not_learnt": [{"why": "skip is implicit_negative", "count": 1000}],
    "catalogue": 30,
    "outside_catalogue": 4,
    "dropped": 2,
    "dropped_to": "bad.csv",
    "dropped_why": [{"why": "not a time", "count": 2}],
    "warnings": ["All times lie in 1970."],
}


def shown(capsys: pytest.CaptureFixture[str], found: dict[str, object]) -> str:
    show_checked(found)
    return " ".join(capsys.readouterr().out.split())


def test_dropped_rows_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found = {"name": "n", "interactions": 5, "dropped": 2, "dropped_to": "bad.csv"}
    assert "2 bad rows were left out: bad.csv" in shown(capsys, found)


def test_everything_that_was_checked_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown(capsys, CHECKED)
    for words in (
        "shop: 5,000 interactions of 1,200 users and 34 items can be used",
        "2020-01-01 to 2024-12-31",
        "4,000 are learnt from",
        "1,000 are not: skip is implicit_negative",
        "view implicit positive 4,000 4,000",
        "skip implicit negative 1,000 0",
        "77 choose an item again",
        "4 items are not in the catalogue",
        "2 bad rows were left out: bad.csv 2: not a time",
        "! All times lie in 1970.",
    ):
        assert words in out


@pytest.mark.parametrize("key", [key for key in CHECKED if key not in ("name", "interactions")])
def test_every_key_beside_name_and_number_may_be_missing(
    capsys: pytest.CaptureFixture[str], key: str
) -> None:
    assert "5,000 interactions" in shown(capsys, {k: v for k, v in CHECKED.items() if k != key})
    assert "5,000 interactions" in shown(capsys, CHECKED | {key: None})


def test_names_of_the_data_are_inert(capsys: pytest.CaptureFixture[str]) -> None:
    bad = "[/nope]\x1b]0;x\x07\u202e\n"
    events = [{"event": bad, "role": bad, "count": 1, "learnt": 1}]
    why = [{"why": bad, "count": 1}]
    found = CHECKED | {"name": bad, "events": events, "not_learnt": why, "warnings": [bad]}
    show_checked(found | {"dropped_why": why, "dropped_to": bad})
    show_description({bad: bad, "from_to": [bad, bad], "events": events})
    out = capsys.readouterr().out
    assert "[/nope]" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_describe_leaves_bad_rows_out_as_check_does(
    capsys: pytest.CaptureFixture[str], tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(str(tmp_path))
    with open("interactions.csv", "w") as file:
        file.write("user_id,item_id,timestamp\nu,a,1\nu,b,x\n")
    assert main(["data", "describe", "."]) == 2
    assert main(["data", "describe", ".", "--on-bad-rows", "drop"]) == 0
