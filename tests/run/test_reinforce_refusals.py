"""What nothing can be learned from is refused before a model is opened, or a folder written."""

from pathlib import Path

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.errors import BadInput
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig
from tastemaker.run.reinforce import reinforce
from tastemaker.run.reinforce_refusals import refuse_idle
from tastemaker.run.reinforce_results import Exercise, ReinforceConfig
from tests.models.conftest import save_chatty
from tests.reinforce.taught import first_letter
from tests.run.test_reinforce import PROMPTS, config, exercise


@pytest.fixture(scope="module")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_chatty(tmp_path_factory.mktemp("chatty"))


def test_what_cannot_be_meant_is_refused_before_a_model_is_opened(
    tmp_path: Path, chatty: Path
) -> None:
    def refused(made: ReinforceConfig, held: Exercise | None = None) -> BadInput:
        with pytest.raises(BadInput) as fault:
            reinforce(made, PROMPTS, held, first_letter, str(tmp_path / "run"))
        assert not (tmp_path / "run").exists()
        return fault.value

    nowhere = tmp_path / "no model"
    assert "prompt one" in refused(config(nowhere, "gold")).where
    same = exercise("h", {"other": "0", "one": "1"})
    assert refused(config(nowhere), same).where == "h"
    spaced = exercise("h", {"other": "0", " the  boat\n": "1"})
    assert refused(config(nowhere), spaced).where == "h"
    unknown = exercise("h", {"other": None})
    assert "prompt other" in refused(config(nowhere), unknown).where
    wide = ReinforceConfig(
        str(nowhere), learning=LearningConfig(n=16),
        signals=SignalConfig(restrain=RestrainConfig(sigma=1.0)),
    )  # fmt: skip
    assert "sigma" in refused(wide).where


def test_a_prompt_that_leaves_no_room_is_named(tmp_path: Path, chatty: Path) -> None:
    long = exercise("long.jsonl", {"the boat": None, "word " * 600: None})
    with pytest.raises(BadInput) as fault:
        reinforce(config(chatty), long, None, first_letter, str(tmp_path / "run"))
    assert "word" in fault.value.where and "512" in fault.value.what
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.mark.parametrize("signal", ["ttrl", "empo", "random"])
def test_dials_of_restrain_bind_no_other_signal(signal: str) -> None:
    votes = SignalConfig(restrain=RestrainConfig(sigma=1.0, kappa=99))
    made = ReinforceConfig("model", signal, learning=LearningConfig(n=2), signals=votes)  # type: ignore[arg-type]
    refuse_idle(made, PROMPTS, None)
    with pytest.raises(BadInput):
        refuse_idle(ReinforceConfig("model", signals=votes), PROMPTS, None)


def test_a_width_that_rewards_rare_answers_can_be_forced() -> None:
    votes = SignalConfig(restrain=RestrainConfig(sigma=1.0, forced=True))
    refuse_idle(ReinforceConfig("model", signals=votes), PROMPTS, None)


@pytest.mark.parametrize("name", ["ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"])
def test_weights_that_are_parted_are_not_trained(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "false")
    refuse_idle(ReinforceConfig("model"), PROMPTS, None)
    monkeypatch.setenv(name, "true")
    with pytest.raises(BadInput) as fault:
        refuse_idle(ReinforceConfig("model"), PROMPTS, None)
    assert fault.value.where == name
