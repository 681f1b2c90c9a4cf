"""TRL trains with the advantages of the signals; off policy it clips both streams."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

from tastemaker.errors import NumericFault
from tastemaker.models.extras import quiet
from tastemaker.reinforce.lean import LeanConfig, Sampled, loss, step
from tastemaker.reinforce.policy import open_policy
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import Rollouts, SignalConfig, signal
from tastemaker.reinforce.votes import coded
from tests.reinforce.taught import first_letter, trainer


def weights(model: Any) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def moved(model: Any, before: dict[str, torch.Tensor]) -> float:
    return max(float((model.state_dict()[n] - t).abs().max()) for n, t in before.items())


@pytest.mark.parametrize("lora", [0, 2])
def test_three_steps_move_what_learns_and_say_what_was_measured(
    tmp_path: Path, chatty: Path, lora: int
) -> None:
    policy, lines = open_policy(chatty, lora, 0), list[Any]()
    before = weights(policy.model)
    frozen = {n: t.clone() for n, t in policy.model.named_buffers()}
    one = trainer(tmp_path, policy, lines=lines, beta=0.01)
    one.learn()
    assert moved(policy.model, before) > 0
    assert all(torch.equal(t, frozen[n]) for n, t in policy.model.named_buffers())
    assert [line["step"] for line in lines] == [1, 2, 3]
    assert all({"loss", "kl", "entropy", "votes/penalised"} <= line.keys() for line in lines)
    assert lines[0]["kl"] == pytest.approx(0, abs=1e-6) and lines[2]["kl"] > 0
    assert not list(tmp_path.iterdir())


def test_a_batch_that_is_only_pushed_down_moves_the_weights(tmp_path: Path, chatty: Path) -> None:
    """By a reward it would not: the mean of a constant is taken away."""
    policy, lines = open_policy(chatty, 0, 0), list[Any]()
    before = weights(policy.model)
    trainer(tmp_path, policy, votes=RestrainConfig(kappa=99), lines=lines, steps=1).learn()
    assert lines[0]["votes/penalised"] == 1
    assert moved(policy.model, before) > 1e-4
    assert lines[0]["reward_std"] == 0


def test_what_no_signal_reads_is_not_given_to_the_trainer(tmp_path: Path, chatty: Path) -> None:
    states = []
    for gold in (["0", "1", "0", "1"], ["poison"] * 4):
        policy = open_policy(chatty, 0, 0)
        one = trainer(tmp_path, policy, known={"gold": gold}, steps=1)
        assert "gold" not in one.train_dataset.column_names
        one.learn()
        states.append(weights(policy.model))
    assert all(torch.equal(states[0][name], tensor) for name, tensor in states[1].items())


@pytest.mark.parametrize("name", ["gold", "self-certainty"])
def test_other_signals_train_by_the_same_trainer(tmp_path: Path, chatty: Path, name: str) -> None:
    policy = open_policy(chatty, 0, 0)
    before = weights(policy.model)
    known = {"gold": ["0", "1", "0", "1"]} if name == "gold" else None
    trainer(tmp_path, policy, name, known=known, steps=1).learn()
    assert moved(policy.model, before) > 0


class Lean:
    """The tiny model as the lean loop asks for it."""

    def __init__(self, model: Any, inputs: dict[str, Any], order: torch.Tensor) -> None:
        self.model, self.inputs, self.order = model, inputs, order

    def parameters(self) -> Any:
        return self.model.parameters()

    def sample(self, prompts: torch.Tensor, rollouts: int, draw: torch.Generator) -> Any:
        raise NotImplementedError

    def log_probabilities(self, prompts: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
        asked, mask = (self.inputs[f"prompt_{name}"][self.order] for name in ("ids", "mask"))
        said = tokens.flatten(0, 1)
        ids = torch.cat([asked, said], 1)
        kept = torch.cat([mask, self.inputs["completion_mask"][self.order]], 1)
        logits = self.model(input_ids=ids, attention_mask=kept).logits[:, -said.shape[1] - 1 : -1]
        taken = logits.log_softmax(-1).gather(2, said[..., None])[..., 0]
        return taken.view(tokens.shape)


@pytest.mark.parametrize("weight_kl", [False, True])
def test_one_step_is_that_of_the_lean_loop(tmp_path: Path, chatty: Path, weight_kl: bool) -> None:
    votes, prompt_weights = RestrainConfig(kappa=2, weight_kl=weight_kl), [0.5, 0.2, 0.9, 0.7]
    policy = open_policy(chatty, 0, 0)
    twin, before = copy.deepcopy(policy.model), copy.deepcopy(policy.model)
    with torch.no_grad():  # so that the divergence counts in the first step
        for tensor in before.parameters():
            tensor.add_(0.01 * torch.sin(torch.arange(tensor.numel())).view(tensor.shape))
    one = trainer(
        tmp_path, policy, votes=votes, weights=prompt_weights, steps=1, micro=8, beta=0.1,
        clip=0.0, lr=0.5,
    )  # fmt: skip
    one.args.optim = "sgd"
    one.ref_model.load_state_dict(before.state_dict())
    taken: list[dict[str, Any]] = []
    inner = one._compute_loss
    one._compute_loss = lambda model, inputs: (taken.append(dict(inputs)), inner(model, inputs))[1]
    one.learn()
    (inputs,) = taken
    order = inputs["number"].argsort(stable=True)
    lean = Lean(twin, inputs, order)
    tokens, mask = (inputs[f"completion_{n}"][order].view(2, 4, -1) for n in ("ids", "mask"))
    texts = policy.tokenizer.batch_decode(
        [row[m.bool()] for row, m in zip(tokens.flatten(0, 1), mask.flatten(0, 1), strict=True)],
        skip_special_tokens=True,
    )
    answers = coded(first_letter([texts[:4], texts[4:]], [[], []], ["", ""]))
    numbers = inputs["number"][order][::4]
    weighing = torch.tensor(prompt_weights)[numbers]
    dials = SignalConfig(restrain=votes)
    config = LeanConfig(dials=dials, rollouts=4, beta=0.1)
    streams = signal("restrain", Rollouts(answers, weighing), dials)
    with torch.no_grad():
        old = lean.log_probabilities(numbers, tokens)
        untrained = Lean(before, inputs, order).log_probabilities(numbers, tokens)
    said = Sampled(answers, tokens, mask, old, torch.zeros(2, 4), torch.zeros(()))
    step(
        lean, torch.optim.SGD(twin.parameters(), lr=0.5), numbers, said,
        lambda now: loss(now, said, streams, config, untrained, weighing),
    )  # fmt: skip
    assert moved(policy.model, weights(open_policy(chatty, 0, 0).model)) > 1e-3
    for name, tensor in twin.state_dict().items():
        torch.testing.assert_close(policy.model.state_dict()[name], tensor, rtol=0, atol=1e-6)


def batch(one: Any, moved_by: float) -> dict[str, Any]:
    """Inputs of a loss whose ratios are not 1."""
    one.model.train()
    rows = [one.train_dataset[n // 4] for n in range(8)]
    with quiet():
        inputs = one._generate_and_score_completions(rows)
    if moved_by:
        with torch.no_grad():
            ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
            mask = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
            width = inputs["completion_ids"].shape[1]
            said, _, _ = one._get_per_token_logps_and_entropies(one.model, ids, mask, width)
        noise = torch.randn(said.shape, generator=torch.Generator().manual_seed(1))
        inputs["old_per_token_logps"] = said - moved_by * noise
    one.current_gradient_accumulation_steps = 1
    return dict(inputs)


@pytest.mark.parametrize("weight_kl", [False, True])
def test_off_policy_both_streams_are_clipped_and_the_divergence_counts_once(
    tmp_path: Path, chatty: Path, weight_kl: bool
) -> None:
    votes = RestrainConfig(kappa=1, weight_kl=weight_kl)
    one = trainer(tmp_path, chatty, votes=votes, beta=0.1, weights=[0.5, 0.25, 1, 1])
    inputs = batch(one, 0.5)
    inputs["ref_per_token_logps"] = inputs["old_per_token_logps"] - 0.3
    passes = []
    one.model.register_forward_hook(lambda *_: passes.append(1))
    loss = one._compute_loss(one.model, inputs)
    assert len(passes) == 1
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    masks = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
    mask, width = inputs["completion_mask"], inputs["completion_ids"].shape[1]
    with torch.no_grad():
        said, _, _ = one._get_per_token_logps_and_entropies(one.model, ids, masks, width)
    ratio = (said - inputs["old_per_token_logps"]).exp()
    pulled = torch.zeros_like(ratio)
    for stream in ("adv_pos", "adv_neg"):
        pull = inputs[stream][:, None]
        pulled += torch.minimum(ratio * pull, ratio.clamp(0.8, 1.2) * pull)
    apart = inputs["ref_per_token_logps"] - said
    divergence = apart.exp() - apart - 1
    share = inputs["prompt_weight"][:, None] if weight_kl else 1.0
    wanted = (((0.1 * share * divergence - pulled) * mask).sum(1) / mask.sum(1)).mean()
    assert float(loss.detach()) == pytest.approx(float(wanted), abs=1e-5)
    joined = torch.minimum(
        *(ratio_ * inputs["advantages"][:, None] for ratio_ in (ratio, ratio.clamp(0.8, 1.2)))
    )
    assert not torch.allclose(joined, pulled, atol=1e-4)  # one stream would not do


def test_several_passes_over_a_batch_train(tmp_path: Path, chatty: Path) -> None:
    lines: list[Any] = []
    trainer(tmp_path, chatty, lines=lines, iterations=2, steps=2).learn()
    assert [line["step"] for line in lines] == [1, 2, 3, 4]


def test_log_probabilities_that_are_no_numbers_stop_before_a_step(
    tmp_path: Path, chatty: Path
) -> None:
    policy = open_policy(chatty, 0, 0)
    one = trainer(tmp_path, policy)
    good = batch(one, 0.0)
    with torch.no_grad():
        next(policy.model.parameters())[3:].fill_(torch.nan)
    before = weights(policy.model)
    with pytest.raises(NumericFault):
        one._compute_loss(policy.model, good)
    with pytest.raises(NumericFault) as fault:
        one.learn()
    assert "step 1" in fault.value.where and "prompts" in fault.value.where
    assert all(
        torch.equal(before[name].nan_to_num(7), tensor.nan_to_num(7))
        for name, tensor in policy.model.state_dict().items()
    )


@pytest.mark.parametrize("stop", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_a_training_goes_on_as_if_it_had_not_stopped(
    tmp_path: Path, chatty: Path, stop: int
) -> None:
    whole = open_policy(chatty, 2, 0)
    trainer(tmp_path / "a", whole, beta=0.01, steps=3).learn()
    cut = open_policy(chatty, 2, 0)
    first = trainer(tmp_path / "b", cut, beta=0.01, steps=3, save_every=1, kept=True)
    saved = first.kept.save

    def save_and_die(one: Any) -> None:
        saved(one)
        if one.state.global_step == stop:
            raise KeyboardInterrupt

    first.kept.save = save_and_die
    with pytest.raises(KeyboardInterrupt):
        first.learn()
    again = open_policy(chatty, 2, 0)
    second = trainer(tmp_path / "b", again, beta=0.01, steps=3, save_every=1, kept=True)
    newest = second.kept.newest()
    assert newest and newest[1] == stop
    second.learn(newest[0])
    for name, tensor in whole.model.state_dict().items():
        assert torch.equal(again.model.state_dict()[name], tensor), name
    names = {path.suffix for path in (tmp_path / "b").rglob("*") if path.is_file()}
    assert names <= {".safetensors", ".json", ""}
