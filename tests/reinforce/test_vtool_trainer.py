"""The trainer on a tiny Qwen2.5-VL whose first words are laid into its mouth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("trl", reason="needs tastemaker[rl]")
pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
from trl import GRPOConfig

from tastemaker.errors import BadInput
from tastemaker.models.extras import quiet
from tastemaker.models.vlm import open_vision_model
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.vtool_environment import question_rows
from tastemaker.reinforce.vtool_trainer import ToolTraining, VisualToolTrainer, tool_template
from tests.reinforce.bench import BOXES, GOOD, PICTURE
from tests.reinforce.tool_models import save_tool_model

pytestmark = pytest.mark.filterwarnings(
    "ignore:.*is deprecated and will be removed in v6:FutureWarning"
)
QUESTION = PictureQuestion("How many?", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
RIGHT, WRONG = "FINAL ANSWER: 12. TERMINATE", "FINAL ANSWER: 13. TERMINATE"


def call(code: str) -> str:
    said = json.dumps({"name": "run_visual_code", "arguments": {"code": code}})
    return f"<tool_call>\n{said}\n</tool_call>"


class Scripted(VisualToolTrainer):
    """Says what it is told to, and keeps what it was shown before its second turn."""

    turns: list[list[str]]
    shown: list[tuple[list[list[int]], dict[str, Any]]]

    def _generate_single_turn(
        self, prompt_ids: Any, images: Any, multimodal_fields: Any, *more: Any, **named: Any
    ) -> Any:
        self.shown.append((prompt_ids, multimodal_fields))
        super()._generate_single_turn(prompt_ids, images, multimodal_fields, *more, **named)
        texts = self.turns[len(self.shown) - 1]
        encode = self.processing_class.tokenizer.encode
        return [encode(f"{text}<|im_end|>", add_special_tokens=False) for text in texts], None


def made(tmp_path: Path, *turns: list[str], longest: int = 400, **options: Any) -> Scripted:
    template = options.pop("template", tool_template())
    vision = open_vision_model(save_tool_model(tmp_path / "model", template))
    model, processor = vision.model.train(), vision.processor.whole
    with quiet():
        args = GRPOConfig(
            output_dir=str(tmp_path), per_device_train_batch_size=2, num_generations=2, max_steps=1,
            max_completion_length=longest, beta=0.0, use_cpu=True, bf16=False, report_to=[],
            learning_rate=1e-2, disable_tqdm=True, logging_steps=1, save_strategy="no",
            generation_kwargs={"max_new_tokens": 2},
        )  # fmt: skip
    trainer = Scripted(
        model, processor, args, question_rows([QUESTION]), GrammarSandbox(), ToolTraining(**options)
    )
    trainer.turns, trainer.shown = list(turns), []
    return trainer


def scored(trainer: Scripted) -> dict[str, Any]:
    """What a step learns from."""
    output: dict[str, Any] = trainer._generate_and_score_completions(
        [dict(trainer.train_dataset[0])] * 2
    )
    return output


USED = ([call(GOOD), WRONG], [RIGHT])


def test_one_rollout_uses_the_tool_and_one_answers(tmp_path: Path) -> None:
    trainer = made(tmp_path, *USED)
    output = scored(trainer)
    first, second = trainer.shown[0][1], trainer.shown[1][1]
    assert len(first["image_grid_thw"]) == 2 and len(second["image_grid_thw"]) == 2
    assert len(output["image_grid_thw"]) == 3, "two pictures, and the one that was edited"
    assert (output["advantages"][0] > 0) and (output["advantages"][1] < 0)
    measured = trainer._metrics["train"]
    assert measured["visual/used"] == [0.5] and measured["visual/rolled_back"] == [0.0]
    assert measured["visual/failed"] == [0.0]
    assert 0 < (output["tool_mask"][0] == 0).sum() < output["completion_mask"][0].sum()


def test_the_edited_image_enters_the_next_turn(tmp_path: Path) -> None:
    """Two edits give two images; what the model says next depends on which."""
    another = GOOD.replace("['Team']", "['Year']")
    images, made_here = [], []
    for code in (GOOD, another):
        trainer = made(tmp_path, [call(code), WRONG], [RIGHT])
        scored(trainer)
        (ids,), fields = trainer.shown[1]
        start = trainer.shown[0][0][0]
        tokens = torch.tensor([ids])
        mark = trainer.model.config.image_token_id
        assert (tokens == mark).sum() > (torch.tensor(start) == mark).sum()
        images.append(fields["pixel_values"])
        made_here.append((trainer.model.eval(), tokens, mark, fields["image_grid_thw"]))
    model, tokens, mark, grid = made_here[0]
    assert not torch.equal(images[0], images[1])
    with torch.no_grad():  # the same words, and either image
        one, other = (
            model(
                input_ids=tokens, mm_token_type_ids=(tokens == mark).long(),
                pixel_values=pixels, image_grid_thw=grid,
            ).logits[0, -1]
            for pixels in images
        )  # fmt: skip
    assert (one - other).abs().max() > 1e-5


def gradients(trainer: Scripted, output: dict[str, Any]) -> torch.Tensor:
    """(B, T) how much the state that each token was chosen from is moved by the loss of a step."""
    kept: list[torch.Tensor] = []

    def keep(module: Any, arguments: Any, result: Any) -> None:
        result.last_hidden_state.retain_grad()
        kept.append(result.last_hidden_state)

    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    hook = trainer.model.model.register_forward_hook(keep)
    trainer._compute_loss(trainer.model, output).backward()
    hook.remove()
    width = output["completion_ids"].shape[1]
    grads = torch.cat([one.grad for one in kept if one.grad is not None])
    return grads.abs().sum(-1)[:, -width - 1 : -1]


@pytest.mark.parametrize("train_tool_turn", [True, False])
def test_the_tool_turn_learns_or_not_and_the_observation_never(
    tmp_path: Path, train_tool_turn: bool
) -> None:
    trainer = made(tmp_path, *USED, train_tool_turn=train_tool_turn)
    output = scored(trainer)
    spoken = len(trainer.processing_class.tokenizer.encode(f"{call(GOOD)}<|im_end|>"))
    mask = output["tool_mask"] * output["completion_mask"]
    whole = int(output["completion_mask"][0].sum())
    answered = len(trainer.processing_class.tokenizer.encode(f"{RIGHT}<|im_end|>"))
    assert mask[0, :spoken].all() if train_tool_turn else not mask[0, :spoken].any()
    assert not mask[0, spoken : whole - answered].any()
    assert (
        mask[0, whole - answered : whole].all()
        and mask[1].sum() == output["completion_mask"][1].sum()
    )
    assert output["num_items_in_batch"] == mask.sum()
    size = gradients(trainer, output)
    assert (size[mask == 0] == 0).all() and (size[mask == 1] > 0).all()


def test_a_result_that_does_not_fit_is_counted(tmp_path: Path) -> None:
    spoken = 90
    trainer = made(tmp_path, *USED, longest=spoken, train_tool_turn=False)
    output = scored(trainer)
    assert len(trainer.shown) == 1 and trainer._metrics["train"]["visual/rolled_back"] == [0.5]
    assert output["tool_mask"].all()


def test_code_that_fails_is_told_and_answered(tmp_path: Path) -> None:
    trainer = made(tmp_path, [call("import os"), WRONG], [RIGHT])
    output = scored(trainer)
    assert trainer._metrics["train"]["visual/failed"] == [0.5]
    text = trainer.processing_class.tokenizer.decode(output["completion_ids"][0])
    assert "failed" in text and text.replace("<|endoftext|>", "").endswith(f"{RIGHT}<|im_end|>")


def test_a_step_of_training_moves_the_weights(tmp_path: Path) -> None:
    trainer = made(tmp_path, *USED)
    before = [one.detach().clone() for one in trainer.model.parameters()]
    trainer.learn()
    moved = [
        not torch.equal(one, other)
        for one, other in zip(before, trainer.model.parameters(), strict=True)
    ]
    assert np.mean(moved) > 0.5


def test_a_template_without_tools_is_refused(tmp_path: Path) -> None:
    plain = "{% for m in messages %}<|im_start|>{{ m.role }}<|im_end|>{% endfor %}"
    with pytest.raises(BadInput, match="template"):
        made(tmp_path, template=plain)
