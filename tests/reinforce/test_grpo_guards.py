"""What the trainer must not do: lose a penalty, read labels, write pickles, speak, or depend on
how a step is parted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from trl import GRPOTrainer
from trl.trainer import base_trainer

from tastemaker.errors import NumericFault
from tastemaker.models.extras import quiet
from tastemaker.reinforce.learning import LearningConfig, trainer_config
from tastemaker.reinforce.lesson import rows_for
from tastemaker.reinforce.policy import Policy, open_policy
from tastemaker.reinforce.restrain import RestrainConfig
from tests.reinforce.taught import ASKED, SMALL, trainer


def weights(policy: Policy) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in policy.model.state_dict().items()}


def same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


def test_by_a_plain_reward_a_penalty_of_all_is_lost(tmp_path: Path, chatty: Path) -> None:
    """The trap that the trainer is made for: a constant less its mean is nothing."""
    policy = open_policy(chatty, 0, 0)
    before = weights(policy)
    with quiet():
        plain = GRPOTrainer(
            model=policy.model,
            reward_funcs=lambda completions, **_: [-1.0] * len(completions),
            args=trainer_config(LearningConfig(**SMALL | {"steps": 1}), tmp_path, 1, cpu=True),
            train_dataset=rows_for(policy, ASKED, "restrain"),
            processing_class=policy.tokenizer,
        )
        plain._send_telemetry = lambda: None
        plain.train()
    assert same(before, weights(policy))
    trainer(tmp_path, policy, votes=RestrainConfig(kappa=99), steps=1).learn()
    assert not same(before, weights(policy))


SLOW = pytest.mark.slow


@pytest.mark.parametrize(
    "loss", ["grpo", *(pytest.param(one, marks=SLOW) for one in ("dr_grpo", "dapo"))]
)
def test_how_a_step_is_parted_into_passes_changes_nothing(
    tmp_path: Path, chatty: Path, loss: str
) -> None:
    states = []
    for micro in (8, 2):
        policy = open_policy(chatty, 0, 0)
        one = trainer(tmp_path, policy, micro=micro, steps=1, loss_type=loss, clip=0.0)
        assert one.args.gradient_accumulation_steps == 8 // micro
        one.args.optim = "sgd"
        one.learn()
        states.append(weights(policy))
    for name, tensor in states[0].items():
        torch.testing.assert_close(states[1][name], tensor, rtol=0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bnpo", "cispo", "sapo", "vespo", "luspo"])
@pytest.mark.parametrize("iterations", [1, 2])
def test_every_other_loss_of_trl_trains_too(
    tmp_path: Path, chatty: Path, loss: str, iterations: int
) -> None:
    policy = open_policy(chatty, 0, 0)
    before = weights(policy)
    level = "sequence" if loss == "luspo" else "token"
    lines: list[Any] = []
    trainer(
        tmp_path, policy, loss_type=loss, level=level, iterations=iterations, steps=1, lines=lines
    ).learn()
    assert len(lines) == iterations and not same(before, weights(policy))


def test_a_heavier_prompt_pulls_in_proportion(tmp_path: Path, chatty: Path) -> None:
    norms = []
    for weight in (1.0, 0.25):
        lines: list[Any] = []
        trainer(tmp_path, chatty, weights=[weight] * 4, steps=1, lines=lines, clip=0.0).learn()
        norms.append(lines[0]["loss"])
        assert lines[0]["votes/pull"] > 0
        norms.append(lines[0]["votes/pull"])
    assert norms[3] == pytest.approx(norms[1] / 4)
    assert norms[2] == pytest.approx(norms[0] / 4, abs=1e-6)


def test_nothing_is_pickled_and_nobody_is_told(
    tmp_path: Path, chatty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("called")

    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(torch, "save", refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(base_trainer, "send_telemetry", refuse)
    one = trainer(tmp_path, chatty, kept=True, save_every=1, steps=2)
    one.learn()
    again = trainer(tmp_path, chatty, kept=True, save_every=1, steps=3)
    newest = again.kept.newest()
    again.learn(newest[0])
    assert again.state.global_step == 3


def test_nothing_is_written_to_standard_output(
    tmp_path: Path, chatty: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = trainer(tmp_path, chatty, steps=1)
    one.learn()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_no_number_stops_before_its_step(
    tmp_path: Path, chatty: Path, clip: float
) -> None:
    policy = open_policy(chatty, 0, 0)
    before = weights(policy)
    one = trainer(tmp_path, policy, clip=clip)
    parameter = next(policy.model.parameters())
    parameter.register_hook(lambda gradient: gradient * torch.nan)
    with pytest.raises(NumericFault) as fault:
        one.learn()
    assert "gradient" in fault.value.what and "step 1" in fault.value.where
    assert same(before, weights(policy))


def test_a_batch_that_is_learned_from_twice_goes_on_at_its_end(
    tmp_path: Path, chatty: Path
) -> None:
    """Answers of a batch are not kept: checkpoints stand where the next step makes new ones."""
    whole = open_policy(chatty, 0, 0)
    trainer(tmp_path / "a", whole, iterations=2, steps=3, beta=0.01).learn()
    first = trainer(tmp_path / "b", chatty, iterations=2, steps=3, beta=0.01, kept=True)
    first.args.save_steps = 1
    seen: list[int] = []

    def stops() -> bool:
        seen.append(first.state.global_step)
        return first.state.global_step >= 3

    object.__setattr__(first.lesson, "stops", stops)
    first.learn()
    assert first.kept.newest()[1] == 4 and seen[:4] == [1, 2, 3, 4]
    names = {path.name for path in (tmp_path / "b" / "checkpoints").glob("step-*")}
    assert names == {"step-2", "step-4"}
    policy = open_policy(chatty, 0, 0)
    again = trainer(tmp_path / "b", policy, iterations=2, steps=3, beta=0.01, kept=True)
    again.ref_model.load_state_dict(open_policy(chatty, 0, 0).model.state_dict())
    again.learn(first.kept.newest()[0])
    assert same(weights(whole), weights(policy))


def test_advantages_take_hardly_any_of_a_step(tmp_path: Path, chatty: Path) -> None:
    """A fiftieth at most, of a model so small that a step takes a sixth of a second."""
    lines: list[Any] = []
    trainer(
        tmp_path, chatty, n=16, prompts_per_step=4, micro=16, max_tokens=32, steps=3, lines=lines
    ).learn()
    assert min(line["seconds/advantages"] / line["step_time"] for line in lines) < 0.02


def test_certainty_is_that_of_the_tokens_said(tmp_path: Path, chatty: Path) -> None:
    one = trainer(tmp_path, chatty, "self-certainty")
    one.model.train()
    rows = [one.train_dataset[n // 4] for n in range(8)]
    with quiet():
        output = one._generate_and_score_completions(rows)
        got = one._certainty(output).flatten()
    for row in range(8):
        kept = output["prompt_mask"][row].bool()
        said = output["completion_ids"][row][output["completion_mask"][row].bool()]
        ids = torch.cat([output["prompt_ids"][row][kept], said])[None]
        with torch.no_grad():
            logits = one.model(input_ids=ids).logits[0, -len(said) - 1 : -1]
        apart = -logits.log_softmax(-1).mean(-1) - torch.tensor(float(logits.shape[-1])).log()
        assert float(got[row]) == pytest.approx(float(apart.mean()), abs=1e-4)


def test_an_answer_without_words_has_no_label(tmp_path: Path, chatty: Path) -> None:
    """Nothing that can be read: no group has a majority, and all are pushed down."""
    one, lines = trainer(tmp_path, chatty, steps=1), list[Any]()
    object.__setattr__(one.lesson, "read", lambda texts, known, kinds: [[None] * 4] * len(texts))
    object.__setattr__(one.lesson, "watch", lines.append)
    one.learn()
    assert lines[0]["votes/unreadable"] == 1 and lines[0]["votes/penalised"] == 1


def test_adapters_learn_as_the_whole_does_while_the_rest_stays(
    tmp_path: Path, chatty: Path
) -> None:
    policy = open_policy(chatty, 4, 0)
    before, held = weights(policy), {n: t.clone() for n, t in policy.model.named_buffers()}
    one = trainer(tmp_path, policy, iterations=2, steps=2, beta=0.1, loss_type="dapo")
    one.learn()
    assert set(before) == {name for name, _ in policy.model.named_parameters()}
    assert not same(before, weights(policy))
    assert all(torch.equal(tensor, held[n]) for n, tensor in policy.model.named_buffers())
    assert policy.model.generation_config.eos_token_id
