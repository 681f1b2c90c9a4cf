"""tastemaker update as a person meets it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tastemaker.cli import main
from tastemaker.commands.update import UpdateRun, show_update
from tastemaker.errors import BadInput
from tastemaker.options import UpdateOptions
from tastemaker.run.folder import seal_run, version_of
from tastemaker.run.publishing import run_before
from tastemaker.serve.events import Event
from tastemaker.serve.store import Store


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    place = Path(shutil.copytree(finished_run, tmp_path / "run"))
    with Store.open(tmp_path / "run.store.sqlite") as store:
        store.append([Event("e", "u1", "new", 50_000), Event("f", "u1", "new", 50_000, "hugged")])
    return place


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(["update", *words])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_dry_run_counts_and_json_says_the_same(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = call(capsys, str(run), "--dry-run")
    assert code == 0 and out.startswith("1 new event, 0 new users, 1 new item since ")
    assert "1 event that cannot be used: left out." in out and "Not published" in out
    url = str(run.with_name("run.store.sqlite"))
    code, out, _ = call(capsys, str(run), "--dry-run", "--database", url, "--json")
    answer = json.loads(out)
    assert code == 0 and answer["new"]["events"] == 1 and not answer["published"]
    assert answer["version"] == answer["before"] == version_of(run)


def test_going_back(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = call(capsys, str(run), "--rollback")
    assert code == 2 and "no run to go back to" in err
    shutil.copytree(run, run_before(run))
    seal_run(run_before(run), {"best": "before"})
    before = version_of(run_before(run))
    code, out, _ = call(capsys, str(run), "--rollback")
    assert code == 0 and before in out and version_of(run) == before
    assert json.loads(call(capsys, str(run), "--rollback", "--json")[1])["before"] == before


def test_what_is_shown_of_an_update(capsys: pytest.CaptureFixture[str]) -> None:
    pair: dict[str, Any] = {
        "on": "newest", "metric": "ndcg@10", "users": 60, "old": 0.1, "new": 0.2, "old_model": "a",
        "new_model": "blend", "difference": 0.1, "ci95": [0.05, 0.15], "unknown_to_old": 1,
    }  # fmt: skip
    new = {"events": 9, "users": 1, "items": 2, "known": 3, "repeated": 4, "removed": 5}
    answer = {
        "run": "r", "version": "v2", "before": "v1", "new": new, "dropped": 2, "another": True,
        "dropped_because": [["no kind", 2]], "start": "grown", "comparison": pair,
        "published": True, "why": "it is better", "epochs": 2, "most_epochs": 5,
    }  # fmt: skip
    show_update(answer)
    out = capsys.readouterr().out
    for said in ("9 new events, 1 new user, 2 new items since v1", "another database",
                 "3 events that the log has", "4 events that choose", "2: no kind",
                 "5 old events", "went on from its weights: 2 of at most 5 epochs",
                 "60 users: 0.1000 (a) → 0.2000 (blend)", "[+0.0500, +0.1500]",
                 "1 of these events is of an item", "Published: it is better.",
                 "r is v2 now, and was v1", "--rollback"):  # fmt: skip
        assert said in out, said
    kept = {"published": False, "kept": "r.next", "start": "afresh", "version": "v1"}
    show_update(answer | kept | {"comparison": pair | {"on": "test", "unknown_to_old": 0}})
    out = capsys.readouterr().out
    for said in ("trained afresh", "on the test events", "Not published", "r.next", "as before"):
        assert said in out, said


@pytest.mark.parametrize("words", [["--rollback", "--epochs", "3"], ["--margin", "7"],
                                   ["--dry-run", "--accept"], ["--items", "none.csv"]])  # fmt: skip
def test_options_without_a_meaning(
    run: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    code, _, err = call(capsys, str(run), *words)
    assert code == 2 and err.startswith("Error: ") and "Traceback" not in err


def test_to_go_back_nothing_is_said_of_learning() -> None:
    with pytest.raises(BadInput):
        UpdateRun("run", "database", rollback=True)
    with pytest.raises(BadInput):
        UpdateRun("run", rollback=True, how=UpdateOptions(epochs=2))


def test_help_loads_nothing_and_a_missing_library_is_named(run: Path) -> None:
    code = (
        "import sys; sys.modules['sqlalchemy'] = None\n"
        "from tastemaker.cli import main\n"
        "assert main(['update', '--help']) == 0\n"
        "assert not {'torch', 'polars', 'numpy'} & set(sys.modules)\n"
        "sys.exit(main(['update', sys.argv[1]]))"
    )
    words = [sys.executable, "-c", code, str(run)]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 2 and "tastemaker[serve]" in done.stderr, done.stderr
