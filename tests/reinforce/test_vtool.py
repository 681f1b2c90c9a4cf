"""A model is taught through TRL, stops and goes on as if it had not, and is refused by name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.reinforce.checkpoints import TrainerCheckpoints
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.vtool import Beside, VToolConfig, room_for, speaking, teach
from tastemaker.reinforce.vtool_speaker import Speech, VisionSpeaker, tool_schema
from tests.models.vision_models import CHAT, save_llava
from tests.reinforce.tool_models import QUESTION, save_tool_model, tool_model

LEARNING = LearningConfig(
    n=2, prompts_per_step=1, steps=2, max_tokens=4, micro=2, save_every=1, lr=1e-2, beta=0.0
)
CONFIG = VToolConfig(learning=LEARNING, seconds=20)
MARK = "<|vision_start|><|image_pad|><|vision_end|>"


@pytest.fixture(autouse=True)
def right(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of two answers is right: else nothing is learned from."""
    monkeypatch.setattr(
        "tastemaker.reinforce.vtool_trainer.outcome_reward",
        lambda rule: lambda completions, **rest: [float(not n) for n in range(len(completions))],
    )


def taught(model: Path, beside: Beside, beta: float = 0.0) -> VisionModel:
    vision = open_vision_model(model)
    config = replace(CONFIG, learning=replace(LEARNING, beta=beta))
    teach(vision, [QUESTION], GrammarSandbox(), config, beside)
    return vision


def test_a_model_is_taught_and_speaks_and_a_stop_changes_nothing(tmp_path: Path) -> None:
    model = save_tool_model(tmp_path / "model")
    lines: list[Mapping[str, float]] = []
    torch.manual_seed(0)
    whole = taught(model, Beside(tmp_path / "a", watch=lines.append))
    assert [line["step"] for line in lines] == [1, 2]
    assert {"reward", "visual/used", "visual/rolled_back"} <= lines[0].keys()
    before = open_vision_model(model)
    moved = [not torch.equal(a, b) for a, b in zip(before.parameters(), whole.parameters(),
                                                   strict=True)]  # fmt: skip
    assert any(moved) and not whole.training
    assert len(VisionSpeaker(whole, Speech(3))([])) == 0
    kept = TrainerCheckpoints(tmp_path / "b", {"config": {}})
    torch.manual_seed(0)
    taught(model, Beside(tmp_path / "b", kept, stops=lambda: True))
    folder, step = kept.newest() or (Path(), 0)
    assert step == 1
    again = taught(model, Beside(tmp_path / "b", kept, folder))
    for one, other in zip(whole.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_distance_to_the_model_as_it_began_counts(tmp_path: Path) -> None:
    model = save_tool_model(tmp_path / "model")
    lines: list[Mapping[str, float]] = []
    torch.manual_seed(0)
    near = taught(model, Beside(tmp_path / "a", watch=lines.append), beta=1.0)
    assert lines[0]["kl"] == pytest.approx(0.0, abs=1e-6) and lines[1]["kl"] > 1e-6
    torch.manual_seed(0)
    free = taught(model, Beside(tmp_path / "b"))
    pairs = zip(near.parameters(), free.parameters(), strict=True)
    assert any(not torch.equal(one, other) for one, other in pairs)


def test_a_model_in_the_marks_of_qwen_gets_a_template_that_is_saved_with_it(tmp_path: Path) -> None:
    plain = CHAT.replace("<image>\\n", MARK).replace("<image>\n", MARK)
    vision = open_vision_model(save_tool_model(tmp_path / "model", plain))
    assert not vision.prompts.tells_of(tool_schema())
    assert speaking(vision, "model").prompts.tells_of(tool_schema())
    (tmp_path / "saved").mkdir()
    vision.save(tmp_path / "saved")
    assert open_vision_model(tmp_path / "saved").prompts.tells_of(tool_schema())


def test_a_model_of_other_marks_is_refused(tmp_path: Path) -> None:
    llava = open_vision_model(save_llava(tmp_path / "llava", "siglip"))
    with pytest.raises(BadInput, match="tells of no tools"):
        speaking(llava, "llava")


def test_room_is_kept_for_what_a_tool_gives(tmp_path: Path) -> None:
    vision = tool_model(tmp_path / "model")
    one, other = (room_for(vision, [QUESTION], most) for most in (4, 10))
    assert other - one == 12 and one > 2 * 4
    long = replace(QUESTION, prompt="word " * 2000)
    with pytest.raises(BadInput) as fault:
        room_for(vision, [QUESTION, long], 4)
    assert fault.value.where == "question 2, bench"


def test_nothing_to_learn_from_is_refused(tmp_path: Path) -> None:
    vision: Any = None
    with pytest.raises(BadInput, match="nothing to learn"):
        teach(vision, [], GrammarSandbox(), CONFIG, Beside(tmp_path))


def test_what_code_may_do_is_what_was_asked_for() -> None:
    made = VToolConfig(seconds=2.0, fuzzy=True).rollouts
    assert made.native and made.fuzzy and made.limits.seconds == 2.0
