"""The lean loop of visual tools: a step of it is the trainer's, and it learns when to use one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
from tastemaker.errors import BadInput, NumericFault
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.vtool_lean import (
    Heard,
    LeanToolConfig,
    LeanToolLoop,
    Scale,
    Spoken,
    asked,
    group_advantages,
    token_loss,
    turn_masks,
)
from tastemaker.reinforce.vtool_rollout import Conversation, RolloutOptions
from tests.reinforce.bench import BOXES, GOOD, PATIENT, PICTURE

ACTION = f"ACTION 0:\n```python\n{GOOD}\n```"
ANSWERS = ["FINAL ANSWER: 12. TERMINATE", "FINAL ANSWER: 13. TERMINATE"]
QUESTION = PictureQuestion("How many?", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
HOW = RolloutOptions(limits=PATIENT, replaces=True)


pytestmark = pytest.mark.filterwarnings(
    "ignore:.*is deprecated and will be removed in v6:FutureWarning"
)


class Table(nn.Module):
    """Chooses among texts by what it is asked, and by whether it has acted; a token a turn."""

    def __init__(self, questions: int = 1) -> None:
        super().__init__()
        self.logits = nn.Parameter(torch.zeros(2, questions, 3))

    def speak(self, talks: Sequence[Conversation], draw: torch.Generator | None) -> Spoken:
        asked_ = torch.tensor([int(talk[0].text[-1]) for talk in talks])
        turn = int(len(talks[0]) > 1)
        chances = self.logits[turn, asked_].softmax(1)
        rows = chances.argmax(1, True) if draw is None else chances.multinomial(1, generator=draw)
        texts = [[*ANSWERS, ACTION][row] for row in rows[:, 0].tolist()]
        return Spoken(texts, rows, torch.ones_like(rows), (turn, asked_))

    def read(self, said: Spoken) -> tuple[Tensor, Tensor]:
        turn, asked_ = said.given
        chances = self.logits[turn, asked_].log_softmax(1)
        return chances.gather(1, said.tokens), -(chances.exp() * chances).sum(1, keepdim=True)


def table_how() -> RolloutOptions:
    return RolloutOptions(limits=PATIENT, put=lambda question, boxes: question)


def test_advantages_by_hand() -> None:
    rewards = torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    apart = torch.tensor([[0.75, -0.25, -0.25, -0.25], [0.0] * 4])
    by_scale: dict[Scale, Any] = {"none": 1.0, "group": 0.5 + 1e-4, "batch": rewards.std() + 1e-4}
    for scale, deviation in by_scale.items():
        found = group_advantages(rewards, scale)
        assert torch.allclose(found[0], apart[0] / deviation) and not found[1].any()


@pytest.mark.parametrize("train_tool_turn", [True, False])
def test_masks_of_turns(train_tool_turn: bool) -> None:
    first = torch.tensor([[1, 1, 0], [1, 1, 1], [1, 0, 0]])
    second = torch.tensor([[1, 1], [1, 0]])
    ran = torch.tensor([True, False, True])
    masks = turn_masks([first, second], ran, train_tool_turn)
    wanted = first if train_tool_turn else first * ~ran[:, None]
    assert torch.equal(masks[0], wanted) and torch.equal(masks[1], second)
    (alone,) = turn_masks([first], torch.zeros(3, dtype=torch.bool), train_tool_turn)
    assert torch.equal(alone, first)


def test_the_gradient_is_the_advantage_over_all_tokens_that_learn() -> None:
    log_probabilities = torch.randn(3, 4, requires_grad=True)
    advantages, mask = torch.tensor([1.0, -2.0, 0.0]), torch.tensor([[1, 1, 0, 0]] * 3)
    loss = token_loss(log_probabilities, advantages, mask, torch.tensor(10))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == pytest.approx(-(2 * 1.0 - 2 * 2.0) / 10)
    assert log_probabilities.grad is not None
    assert torch.allclose(log_probabilities.grad, -advantages[:, None] * mask / 10)


def test_the_turn_of_the_tool_learns_or_not_and_the_answer_always() -> None:
    for train, learns in ((True, True), (False, False)):
        table = Table()
        with torch.no_grad():
            table.logits[0, 0, 2] = 8.0  # always acts
        before = table.logits.detach().clone()
        config = LeanToolConfig(prompts=1, rollouts=8, lr=0.1, train_tool_turn=train)
        one = PictureQuestion("0", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
        seen = LeanToolLoop(table, GrammarSandbox(), config, table_how()).step([one])
        assert seen.tool_rate == 1.0 and 0 < seen.rewards.mean() < 1
        assert table.logits.grad is not None
        assert bool(table.logits.grad[0].any()) == learns and table.logits.grad[1].any()
        assert not torch.equal(before[1], table.logits[1])


class Blind(Table):
    """Knows the answer to the second question only after an edit, and to the first only before."""

    def speak(self, talks: Sequence[Conversation], draw: torch.Generator | None) -> Spoken:
        said = super().speak(talks, draw)
        turn, which = said.given
        texts = [
            ANSWERS[int(turn != number)] if text in ANSWERS else text
            for text, number in zip(said.texts, which.tolist(), strict=True)
        ]
        return Spoken(texts, said.tokens, said.mask, said.given)


def test_it_learns_when_to_use_a_tool() -> None:
    known = {"boxes": box_fields(BOXES)}
    both = [PictureQuestion(str(n), (PICTURE,), "12", known) for n in range(2)]
    policy = Blind(2)
    config = LeanToolConfig(prompts=2, rollouts=8, lr=0.2, scale="batch", seed=1)
    loop = LeanToolLoop(policy, GrammarSandbox(), config, table_how())
    for _ in range(25):
        loop.step(both)
    made, right = asked(Heard(policy), both, GrammarSandbox(), table_how())
    assert right == [True, True] and [one.outcome for one in made] == ["direct", "used"]
    without = RolloutOptions(tools=False, put=lambda question, boxes: question)
    assert asked(Heard(policy), both, GrammarSandbox(), without)[1] == [True, False]


def test_a_bonus_for_calls_has_it_call_where_an_answer_is_better() -> None:
    known = {"boxes": box_fields(BOXES)}
    both = [PictureQuestion(str(n), (PICTURE,), "12", known) for n in range(2)]
    policy = Blind(2)
    config = LeanToolConfig(prompts=2, rollouts=8, lr=0.2, scale="batch", seed=1, bonus=5.0)
    loop = LeanToolLoop(policy, GrammarSandbox(), config, table_how())
    rewards = [loop.step(both).rewards for _ in range(25)]
    assert all(set(row.flatten().tolist()) <= {0.0, 1.0} for row in rewards)
    made, right = asked(Heard(policy), both, GrammarSandbox(), table_how())
    assert right == [False, True] and [one.outcome for one in made] == ["used", "used"]


def test_entropy_keeps_it_open() -> None:
    one = PictureQuestion("0", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
    ends = []
    for weight in (0.0, 1.0):
        policy = Table()
        config = LeanToolConfig(prompts=1, rollouts=8, lr=0.3, entropy=weight)
        loop = LeanToolLoop(policy, GrammarSandbox(), config, table_how())
        ends.append([loop.step([one]) for _ in range(20)][-1].entropy)
    assert ends[0] < ends[1]


def test_the_distance_to_the_policy_as_it_began_holds_it_back() -> None:
    one = PictureQuestion("0", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
    moved = []
    for beta in (0.0, 0.1, 10.0):
        policy = Table()
        config = LeanToolConfig(prompts=1, rollouts=8, lr=0.1, beta=beta)
        loop = LeanToolLoop(policy, GrammarSandbox(), config, table_how())
        for _ in range(20):
            loop.step([one])
        moved.append(float(policy.logits.detach().abs().max()))
    assert moved[0] > moved[1] > 2 * moved[2] > 0


def test_the_distance_is_that_of_its_formula() -> None:
    policy = Table()
    loop = LeanToolLoop(policy, GrammarSandbox(), LeanToolConfig(beta=1.0), table_how())
    spoken = Spoken([""], torch.tensor([[2]]), torch.ones(1, 1).long(), (0, torch.tensor([0])))
    now = torch.tensor([[0.1]]).log().requires_grad_()
    found = loop._apart(spoken, now, spoken.mask)
    ratio = (1 / 3) / 0.1  # it began with three texts, each as likely
    assert found.item() == pytest.approx(ratio - np.log(ratio) - 1)
    found.backward()  # type: ignore[no-untyped-call]
    assert now.grad is not None and now.grad.item() == pytest.approx(1 - ratio)


def test_what_is_not_finite_learns_nothing() -> None:
    policy = Table()
    with torch.no_grad():
        policy.logits[0, 0, 0] = 3.0

    class Broken(Table):
        def read(self, said: Spoken) -> tuple[Tensor, Tensor]:
            logs, entropies = super().read(said)
            return logs * float("nan"), entropies

    broken = Broken()
    before = broken.logits.detach().clone()
    one = PictureQuestion("0", (PICTURE,), "12", {"boxes": box_fields(BOXES)})
    with pytest.raises(NumericFault):
        LeanToolLoop(broken, GrammarSandbox(), LeanToolConfig(), table_how()).step([one])
    assert torch.equal(before, broken.logits)


@pytest.mark.parametrize("wrong", [{"rollouts": 1}, {"lr": 0.0}, {"clip": 1.0}, {"entropy": -1.0}])
def test_what_cannot_be_trained_with_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        LeanToolConfig(**wrong)


class Replayed:
    """The rollouts of a trainer: its tokens, its model, and texts that mean the same."""

    def __init__(self, trainer: Any, output: dict[str, Any]) -> None:
        self.trainer, self.output = trainer, output
        spoken = output["completion_mask"] * output["tool_mask"]
        first = spoken.long().cumprod(1)
        self.ran = torch.tensor([True, False])
        self.masks = [first, (spoken - first)[self.ran]]
        self.texts = [[ACTION, ANSWERS[1]], [ANSWERS[0]]]

    def parameters(self) -> Iterator[nn.Parameter]:
        return iter(self.trainer.model.parameters())

    def speak(self, talks: Sequence[Conversation], draw: torch.Generator | None) -> Spoken:
        turn = int(len(talks[0]) > 1)
        rows = self.ran if turn else torch.ones(2, dtype=torch.bool)
        return Spoken(self.texts[turn], self.output["completion_ids"][rows], self.masks[turn], rows)

    def read(self, said: Spoken) -> tuple[Tensor, Tensor]:
        out, width = self.output, said.tokens.shape[1]
        fields = ("pixel_values", "image_grid_thw", "num_images", "mm_token_type_ids")
        logs, entropies, _ = self.trainer._get_per_token_logps_and_entropies(
            self.trainer.model.train(),
            torch.cat([out["prompt_ids"], out["completion_ids"]], 1),
            torch.cat([out["prompt_mask"], out["completion_mask"]], 1),
            width,
            compute_entropy=True,
            **{name: out[name] for name in fields if name in out},
        )
        return logs[said.given], entropies[said.given]


@pytest.mark.parametrize("train_tool_turn", [True, False])
def test_a_step_is_that_of_the_trainer(tmp_path: Path, train_tool_turn: bool) -> None:
    pytest.importorskip("trl", reason="needs tastemaker[rl]")
    from tests.reinforce.test_vtool_trainer import USED, made, scored

    whole = made(tmp_path / "whole", *USED, train_tool_turn=train_tool_turn)
    whole.learn()
    trainer = made(tmp_path / "lean", *USED)
    before = [one.detach().clone() for one in trainer.model.parameters()]
    policy = Replayed(trainer, scored(trainer))
    config = LeanToolConfig(
        1, prompts=1, rollouts=2, lr=1e-2, scale="group", train_tool_turn=train_tool_turn
    )
    seen = LeanToolLoop(policy, GrammarSandbox(), config, RolloutOptions(limits=PATIENT)).step(
        [QUESTION]
    )
    assert seen.rewards.tolist() == [[1.0, 0.0]]
    pairs = [*zip(before, whole.model.parameters(), trainer.model.parameters(), strict=True)]
    assert any(not torch.equal(old, new) for old, new, _ in pairs)
    for _, by_trainer, lean in pairs:
        assert torch.allclose(by_trainer, lean, atol=2e-5), float((by_trainer - lean).abs().max())
