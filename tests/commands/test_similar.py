"""`similar`: what is asked for, what is shown, what is refused."""

import json
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.commands.similar import show_similar
from tastemaker.run.saved import SavedRun
from tests.run.two_heads import best, two_headed


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return two_headed(tmp_path_factory.mktemp("beside"))


@pytest.fixture
def run(saved: SavedRun, monkeypatch: pytest.MonkeyPatch) -> str:
    """Path of a run that opens as one with two heads."""
    monkeypatch.setattr("tastemaker.run.saved.open_run", lambda path: saved)
    return str(saved.path)


def answered(capsys: pytest.CaptureFixture[str], *words: str) -> dict:  # type: ignore[type-arg]
    assert main(["similar", *words, "--json"]) == 0
    found: dict = json.loads(capsys.readouterr().out)  # type: ignore[type-arg]
    return found


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main(["similar", *words]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    return err


def test_titles_dials_and_lists(
    capsys: pytest.CaptureFixture[str], run: str, saved: SavedRun, tmp_path: Path
) -> None:
    found = answered(capsys, run, "--item", "item <7>", "--relevance", "0", "-k", "4")
    assert [one["item"] for one in found["items"]] == best(saved, "i7", 0.0)[:4]
    assert found["item"] == {"item": "i7", "title": "Item <7>"}
    every = best(saved, "i7", 0.3)
    (tmp_path / "deny.txt").write_text("\n".join([every[0], "new"]))
    found = answered(capsys, run, "--item", "i7", "--deny", str(tmp_path / "deny.txt"))
    want = [item for item in every[1:] if item != "new"]
    assert [one["item"] for one in found["items"]] == want[:10]
    found = answered(capsys, run, "--item", "i7", "--only", "Odd", "--offset", "1", "--k", "2")
    assert len(found["items"]) == 2
    assert all("Odd" in one["categories"] for one in found["items"])


def test_the_parts_of_both_heads_are_shown(capsys: pytest.CaptureFixture[str], run: str) -> None:
    assert main(["similar", run, "--item", "i7", "--k", "3"]) == 0
    out = capsys.readouterr().out
    assert "Item <7>" in out
    assert out.count("engagement") >= 3
    assert out.count("relevance") >= 3


def test_an_answer_is_shown_as_it_stands(capsys: pytest.CaptureFixture[str]) -> None:
    found = {
        "item": {"item": "a", "title": "An [red] item"}, "reason": "Because.", "complete": False,
        "items": [{"title": "One\x1b[2J", "score": 0.5, "parts": {}}],
    }  # fmt: skip
    show_similar(found)
    out = capsys.readouterr().out
    assert out.index("An [red] item") < out.index("One") < out.index("Because.")
    assert "\x1b" not in out
    assert "Only 1 item" in out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--item", "Itm <7>"], "Item <7>"),
        (["--item", "item <3>"], "'newer'"),
        (["--item", "i7", "--relevance", "1.5"], "--relevance"),
        (["--item", "i7", "--relevance", "nan"], "--relevance"),
        (["--item", "i7", "--k", "0"], "k = 0"),
        ([], "--item"),
        (["--item", ""], "--item"),
    ],
)
def test_what_is_refused_names_the_remedy(
    capsys: pytest.CaptureFixture[str], run: str, words: list[str], named: str
) -> None:
    assert named in refused(capsys, run, *words)


def test_unknown_items_of_a_file_are_named(
    capsys: pytest.CaptureFixture[str], run: str, tmp_path: Path
) -> None:
    (tmp_path / "allow.txt").write_text("i1\nno-item\n")
    err = refused(capsys, run, "--item", "i7", "--allow", str(tmp_path / "allow.txt"))
    assert "line 2 'no-item'" in err


def test_a_run_of_any_model_answers(capsys: pytest.CaptureFixture[str], finished_run: Path) -> None:
    assert answered(capsys, str(finished_run), "--item", "i7")["model"] == "counted"


def test_items_beside_an_item_lie_apart(
    capsys: pytest.CaptureFixture[str], run: str, saved: SavedRun
) -> None:
    found = answered(capsys, run, "--item", "i7", "--diversify", "0.8")["items"]
    wanted = saved.similar("i7", 10, diversify=0.8).items
    assert [one["item"] for one in found] == [one.item for one in wanted]
    refused(capsys, run, "--item", "i7", "--diversify", "-1")
