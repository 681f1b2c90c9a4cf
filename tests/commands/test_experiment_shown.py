"""What is shown of an experiment: loud warnings, and a dash where nothing can be said."""

import pytest

from tastemaker.commands.experiment_shown import show_experiment
from tastemaker.commands.terminal import screen
from tastemaker.serve.experiment_results import results_of
from tastemaker.serve.experiments import Experiment
from tests.serve.test_experiment_results import Made, counts_of


def shown(split: str, capsys: pytest.CaptureFixture[str], **arms: Made) -> str:
    said = results_of(counts_of(3, Experiment.parse(split), **arms))
    show_experiment(screen(), {"experiment": "[x]", "window": "7 days", **said})
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    return out


def test_arms_and_differences_fit_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    made = {"popularity": Made(99_999, 1, 0.2), "markov-last-5": Made(99_901, 2, 0.3)}
    out = shown("x=popularity,markov-last-5", capsys, **made)
    assert "[x]" in out and "markov-last-5 against popularity: better" in " ".join(out.split())
    assert "hold together" not in out and "!" not in out


def test_what_is_broken_is_said_first(capsys: pytest.CaptureFixture[str]) -> None:
    out = shown("x=a,b,c", capsys, a=Made(900, 1), b=Made(700, 1), c=Made(0, 1))
    assert out.startswith("! SAMPLE RATIO MISMATCH") and "withheld" in out
    assert "–" in out and "hold together" in out
