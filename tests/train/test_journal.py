"""The journal writes one line a validation, and takes back what a crash made obsolete."""

import json
import logging
from pathlib import Path

import pytest
from rich.console import Console

from tastemaker.train import journal as journals
from tastemaker.train.config import FitConfig
from tastemaker.train.journal import Journal

CONFIG = FitConfig(epochs=10, patience=3)


def line(step: int) -> dict[str, float]:
    return {"epoch": 1, "step": step, "loss": 0.5, "ndcg@10": 0.1}


def test_lines_are_written_as_they_come(tmp_path: Path) -> None:
    journal = Journal(tmp_path, CONFIG, 1, shown=False)
    journal.start(0, [])
    with journal:
        journal.step(0, 1, 0.7, 32)
        journal.validated(line(1))
        assert json.loads((tmp_path / "metrics.jsonl").read_text()) == line(1)


def test_later_and_broken_lines_are_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(line(3)) + "\n" + json.dumps(line(6)) + '\n{"epoch": 2, "st')
    journal = Journal(tmp_path, CONFIG, 1, shown=True)
    journal.start(3, [0.1])
    with journal:
        journal.validated(line(4))
    assert [json.loads(one)["step"] for one in path.read_text().splitlines()] == [3, 4]


def test_a_line_whose_validation_was_not_kept_is_taken_back_though_its_step_was(
    tmp_path: Path,
) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text(json.dumps(line(3)) + "\n")
    journal = Journal(tmp_path, CONFIG, 1, shown=False)
    journal.start(3, [])
    with journal:
        journal.validated(line(3))
    assert [json.loads(one)["step"] for one in path.read_text().splitlines()] == [3]


def test_without_a_folder_nothing_is_written(tmp_path: Path) -> None:
    journal = Journal(None, CONFIG, 1, shown=False)
    journal.start(0, [])
    with journal:
        journal.validated(line(1))
    assert list(tmp_path.iterdir()) == []


def test_an_epoch_is_a_line_that_says_how_long_training_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    journal = Journal(None, CONFIG, 2, shown=True)
    journal.start(0, [])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        for epoch, value in enumerate((0.1, 0.3, 0.2, 0.2, 0.2), 1):
            journal.step(epoch - 1, 2 * epoch, 0.5, 32)
            journal.validated({**line(2 * epoch), "epoch": epoch, "ndcg@10": value})
    first, _, third, _, last = caplog.messages
    assert "epoch 1 of at most 10" in first
    assert "loss 0.5000, NDCG@10 0.1000" in first
    assert "stops after 3 more" in first
    assert "best 0.3000 in epoch 2, stops after 2 more" in third
    assert last.endswith("stops")


def test_what_was_before_a_resume_counts(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(None, CONFIG, 2, shown=True)
    journal.start(6, [0.1, 0.4, 0.2])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        journal.validated({**line(8), "epoch": 4})
    assert "best 0.4000 in epoch 2, stops after 1 more" in caplog.messages[0]


def test_epochs_without_a_validation_and_long_ones_are_said_too(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(None, FitConfig(epochs=4, validate_every=2, patience=0), 3, shown=True)
    journal.start(0, [])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        for step in range(1, 7):
            journal.step((step - 1) // 3, step, 0.5, 32)
        assert [text.split(":")[0] for text in caplog.messages] == ["epoch 1 of 4, step 3 of 3"]
        monkeypatch.setattr(journals, "SILENCE", 0.0)
        journal.step(2, 7, 0.5, 32)
    assert "epoch 3 of 4, step 1 of 3" in caplog.messages[-1]


def test_a_stage_counts_its_own_epochs(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    journal = Journal(tmp_path, CONFIG, 2, shown=True)
    journal.start(0, [])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        journal.enter("late", FitConfig(epochs=4, patience=2, validate_every=2), 3, [])
        journal.step(3, 8, 0.25, 32)
        journal.step(4, 10, 0.25, 32)
        journal.validated({**line(10), "epoch": 5})
        journal.validated({**line(12), "epoch": 7, "ndcg@10": 0.05})
    first, second, third = caplog.messages
    assert first.startswith("late, epoch 1 of at most 4, step 2 of 2: loss 0.2500")
    assert second.startswith("late, epoch 2 of at most 4: loss 0.5000")
    assert second.endswith("best 0.1000 in epoch 2, stops after 2 more without a gain")
    assert third.endswith("best 0.1000 in epoch 2, stops after 1 more without a gain")
    rows = [json.loads(one) for one in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [row["stage"] for row in rows] == ["late", "late"]


def test_only_one_process_speaks(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(None, CONFIG, 1, shown=False)
    journal.start(0, [])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        journal.validated(line(1))
    assert not caplog.messages


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person watches."""

    def console(stderr: bool) -> Console:
        assert stderr, "standard output is for answers"
        return Console(stderr=True, force_terminal=True, width=200)

    monkeypatch.setattr(journals, "Console", console)


def text_of(journal: Journal) -> str:
    journal.bar.refresh()
    shown = Console(width=200, record=True)
    shown.print(journal.bar.get_renderable())
    return shown.export_text()


@pytest.mark.usefixtures("terminal")
def test_at_a_terminal_the_bar_says_it(caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(None, CONFIG, 1, shown=True)
    journal.start(0, [])
    with caplog.at_level(logging.INFO, "tastemaker"), journal:
        journal.step(0, 1, 0.5, 32)
        journal.validated(line(1))
        text = text_of(journal)
    assert "best 0.1000 in epoch 1, stops after 3 more without a gain at most" in text
    assert "epoch 1 " in text and "loss 0.500" in text
    assert not caplog.messages


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize(("patience", "word"), [(0, "left"), (1, "at most"), (5, "at most")])
def test_the_bar_knows_of_patience(patience: int, word: str) -> None:
    journal = Journal(None, FitConfig(patience=patience), 1, shown=True)
    with journal:
        text = text_of(journal)
    assert {one for one in ("left", "at most") if one in text} == {word}


@pytest.mark.usefixtures("terminal")
def test_the_bar_is_as_long_as_what_is_to_be_done() -> None:
    journal = Journal(None, FitConfig(epochs=3), 4, shown=True)
    (task,) = journal.bar.tasks
    assert task.total == 12
    journal.start(5, [0.1])
    assert task.completed == 5
    journal.step(1, 6, 0.5, 32)
    assert (task.completed, task.fields["epoch"]) == (6, 2)
    journal.enter("second", FitConfig(epochs=2), 3, [])
    assert task.total == 20
