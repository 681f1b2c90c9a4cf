"""A line a step, by our names; lines of steps that are done again are taken back."""

from pathlib import Path

from tastemaker import records
from tastemaker.reinforce.journal import METRICS, Journal


def test_another_training_has_names_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path, 1, True, {"step": "step", "visual/used": "used"}, ("used",)) as journal:
        journal.watch({"step": 1, "loss": 0.5, "visual/used": 0.25})
    assert records.read(tmp_path / METRICS) == [{"step": 1, "used": 0.25}]


def test_lines_have_our_names_and_go_on_where_training_does(tmp_path: Path) -> None:
    with Journal(tmp_path, 3, shown=True) as journal:
        for step in (1, 2, 3):
            journal.watch({"step": step, "loss": 0.5, "votes/majority": 0.25, "epoch": 1.0})
    lines = records.read(tmp_path / METRICS)
    assert lines[0] == {"step": 1, "loss": 0.5, "majority": 0.25}
    again = Journal(tmp_path, 3, shown=True)
    again.start(1)
    assert records.read(tmp_path / METRICS) == lines[:1]
    Journal(tmp_path, 3, shown=False).start(0)  # another process
    assert records.read(tmp_path / METRICS) == lines[:1]
