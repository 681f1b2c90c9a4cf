"""The journal writes one line a validation, and takes back what a crash made obsolete."""

import json
from pathlib import Path

from tastemaker.train.journal import Journal


def line(step: int) -> dict[str, float]:
    return {"epoch": 1, "step": step, "loss": 0.5, "ndcg@10": 0.1}


def test_lines_are_written_as_they_come(tmp_path: Path) -> None:
    journal = Journal(tmp_path, 10, shown=False)
    journal.start(0, 0)
    with journal:
        journal.step(0, 1, 0.7, 32)
        journal.validated(line(1))
        assert json.loads((tmp_path / "metrics.jsonl").read_text()) == line(1)


def test_later_and_broken_lines_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(line(3)) + "\n" + json.dumps(line(6)) + '\n{"epoch": 2, "st')
    journal = Journal(tmp_path, 10, shown=True)
    journal.start(3, 1)
    with journal:
        journal.validated(line(4))
    assert [json.loads(one)["step"] for one in path.read_text().splitlines()] == [3, 4]


def test_a_line_whose_validation_was_not_kept_is_taken_back_though_its_step_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(line(3)) + "\n")
    journal = Journal(tmp_path, 10, shown=False)
    journal.start(3, 0)
    with journal:
        journal.validated(line(3))
    assert [json.loads(one)["step"] for one in path.read_text().splitlines()] == [3]


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(None, 10, shown=False)
    journal.start(0, 0)
    with journal:
        journal.validated(line(1))
    assert list(tmp_path.iterdir()) == []
