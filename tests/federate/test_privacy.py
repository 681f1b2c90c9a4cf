"""Sensitivity, the law of the noise, and ε computed a second time."""

import builtins
import math
from collections.abc import Mapping

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import log_ndtr, ndtr
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.federate.privacy import PrivacyConfig, bucketed, noised, private_average, spent
from tastemaker.seams import Reply


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def weights(seed: int, by: float = 1.0) -> dict[str, Tensor]:
    own = generator(seed)
    return {
        "b": by * torch.randn(3, generator=own),
        "a": by * torch.randn(4, 2, generator=own),
        "steps": torch.tensor(seed),
    }


def norm(first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> float:
    gaps = [(first[name] - second[name]).double().square().sum() for name in ("a", "b")]
    return math.sqrt(float(sum(gaps)))


def replies(count: int, by: float = 3.0) -> list[Reply]:
    return [Reply(str(one), 1, weights(one + 1, by), 10 ** (one + 1)) for one in range(count)]


def test_a_mean_by_hand() -> None:
    """One change of norm 5 is halved, one below the clip is not; examples do not weigh."""
    before = {"w": torch.tensor([1.0, 1.0])}
    far, near = {"w": torch.tensor([4.0, 5.0])}, {"w": torch.tensor([2.0, 1.0])}
    found = private_average(
        before, [Reply("a", 1, far, 1), Reply("b", 1, near, 1000)], 4,
        PrivacyConfig(2.5, 0.0), generator(),
    )  # fmt: skip
    assert found["w"].tolist() == pytest.approx([1 + (1.5 + 1) / 4, 1 + 2 / 4])


@given(st.floats(1e-3, 10), st.integers(0, 4), st.integers(0, 2**31))
@settings(max_examples=40, deadline=None)
def test_one_client_moves_the_mean_by_at_most_the_clip(clip: float, out: int, seed: int) -> None:
    """Whatever it sends, and whether its reply was lost."""
    config, before, all_of_them = PrivacyConfig(clip, 1.0), weights(0), replies(5, 100.0)
    less = [reply for reply in all_of_them if reply.client != str(out)]
    whole, without = (
        private_average(before, own, 5, config, generator(seed)) for own in (all_of_them, less)
    )
    assert norm(whole, without) <= clip / 5 * (1 + 1e-3) + 1e-6


def test_order_and_seed_make_the_same_bits() -> None:
    before, own = weights(0), replies(4)
    first = private_average(before, own, 4, PrivacyConfig(), generator(3))
    again = private_average(dict(sorted(before.items())), own[::-1], 4, PrivacyConfig(),
                            generator(3))  # fmt: skip
    other = private_average(before, own, 4, PrivacyConfig(), generator(4))
    assert all(torch.equal(first[name], again[name]) for name in before)
    assert not torch.equal(first["a"], other["a"])


def test_counters_stay_and_so_do_the_weights_before() -> None:
    before = weights(0)
    kept = {name: tensor.clone() for name, tensor in before.items()}
    found = private_average(before, replies(2), 2, PrivacyConfig(), generator())
    assert torch.equal(found["steps"], before["steps"])
    assert all(torch.equal(kept[name], before[name]) for name in before)


def test_the_noise_has_its_deviation() -> None:
    before = {"w": torch.zeros(40_000)}
    found = private_average(before, [], 8, PrivacyConfig(clip=2.0, noise=3.0), generator())["w"]
    assert float(found.std()) == pytest.approx(2 * 3 / 8, rel=0.02)
    assert abs(float(found.mean())) < 0.02


def test_the_noise_of_one_tensor_says_nothing_of_another_s() -> None:
    """Who could subtract one from the other would have both without noise."""
    before = {name: torch.zeros(20_000) for name in "ab"}
    found = private_average(before, [], 1, PrivacyConfig(), generator())
    together = torch.corrcoef(torch.stack([found["a"], found["b"]]))
    assert abs(float(together[0, 1])) < 0.03


def test_a_change_is_cut_as_a_whole_and_before_the_sum() -> None:
    """Tensors of one client share a clip; two clients that cancel each other do not save theirs."""
    before = {"a": torch.zeros(1), "b": torch.zeros(1)}
    far = [Reply("x", 1, {"a": torch.tensor([30.0]), "b": torch.tensor([40.0])}, 1)]
    found = private_average(before, far, 1, PrivacyConfig(1.0, 0.0), generator())
    assert [float(found[name]) for name in "ab"] == pytest.approx([0.6, 0.8])
    back = Reply("y", 1, {"a": torch.tensor([-30.0]), "b": torch.tensor([-39.0])}, 1)
    found = private_average(before, [*far, back], 1, PrivacyConfig(1.0, 0.0), generator())
    length = math.hypot(30, 39)
    expected = [0.6 - 30 / length, 0.8 - 39 / length]
    assert [float(found[name]) for name in "ab"] == pytest.approx(expected, abs=1e-6)


def test_a_smaller_delta_costs_more_epsilon() -> None:
    small, large = (spent(PrivacyConfig(delta=delta), 10, 1.0) for delta in (1e-9, 1e-2))
    assert small > 1.5 * large


def exact(noise: float, rounds: int, delta: float) -> float:
    """ε of a Gaussian mechanism that is composed, from its own law (Balle and Wang, 2018)."""
    mu = math.sqrt(rounds) / noise

    def excess(epsilon: float) -> float:
        far = math.exp(epsilon + log_ndtr(-mu / 2 - epsilon / mu))
        return float(ndtr(mu / 2 - epsilon / mu) - far - delta)

    return float(brentq(excess, 1e-9, 1e4))


@pytest.mark.parametrize(
    ("noise", "rounds"), [(1.0, 1), (1.0, 40), (4.0, 40), (60.0, 40), (0.3, 5)]
)
def test_epsilon_is_that_of_the_closed_form(noise: float, rounds: int) -> None:
    """Never below the exact one of full participation, and little above."""
    found, least = spent(PrivacyConfig(1.0, noise), rounds, 1.0), exact(noise, rounds, 1e-5)
    assert least <= found <= 1.25 * least


def sampled(noise: float, rounds: int, share: float, delta: float) -> float:
    """The same for a share, from the binomial sum at whole orders (Mironov et al., 2019)."""
    found = []
    for order in range(2, 64):
        terms = [
            math.log(math.comb(order, k)) + k * math.log(share)
            + (order - k) * math.log1p(-share) + (k * k - k) / (2 * noise**2)
            for k in range(order + 1)
        ]  # fmt: skip
        top = max(terms)
        divergence = top + math.log(sum(math.exp(one - top) for one in terms))
        found.append(
            rounds * divergence / (order - 1) + math.log1p(-1 / order)
            - (math.log(delta) + math.log(order)) / (order - 1)
        )  # fmt: skip
    return min(found)


@pytest.mark.parametrize(
    ("noise", "rounds", "share"), [(1.0, 40, 0.1), (1.1, 1000, 0.01), (4.0, 100, 0.5)]
)
def test_epsilon_of_a_share_is_that_of_the_binomial_sum(
    noise: float, rounds: int, share: float
) -> None:
    """Orders between whole ones bound it a little better."""
    found = spent(PrivacyConfig(1.0, noise), rounds, share)
    whole = sampled(noise, rounds, share, 1e-5)
    assert 0.99 * whole <= found <= whole * (1 + 1e-9)


def test_fewer_clients_a_round_spend_less() -> None:
    config = PrivacyConfig()
    shares = [spent(config, 40, share) for share in (0.05, 0.1, 0.5, 1.0)]
    rounds = [spent(config, count, 0.5) for count in (1, 10, 100)]
    noises = [spent(PrivacyConfig(1.0, noise), 40, 0.5) for noise in (8.0, 2.0, 0.5)]
    for found in (shares, rounds, noises):
        assert found == sorted(found) and found[0] < found[-1]


def test_nothing_published_spends_nothing_and_no_noise_everything() -> None:
    assert spent(PrivacyConfig(), 0, 1.0) == 0 and spent(PrivacyConfig(), 5, 0.0) == 0
    assert spent(PrivacyConfig(noise=0.0), 1, 1.0) == math.inf
    assert spent(PrivacyConfig(noise=0.02), 1000, 0.9) < math.inf


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name.startswith("opacus"):
            raise ModuleNotFoundError("No module named 'opacus'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadInput) as refused:
        spent(PrivacyConfig(), 1, 1.0)
    assert "tastemaker[federated]" in refused.value.fix


@pytest.mark.parametrize(
    "wrong",
    [{"clip": 0.0}, {"clip": math.inf}, {"noise": -1.0}, {"delta": 0.0}, {"delta": 1.0},
     {"noise": math.nan}],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput) as refused:
        PrivacyConfig(**wrong)
    assert refused.value.where == next(iter(wrong))


@pytest.mark.parametrize("share", [-0.1, 1.5, math.nan])
def test_a_share_is_one_of_clients(share: float) -> None:
    with pytest.raises(BadInput):
        spent(PrivacyConfig(), 1, share)


def test_buckets_by_hand() -> None:
    found = bucketed(torch.tensor([0, 1, 2, 3, 4, 7, 8, 1000, 2**40 + 1]))
    assert found.tolist() == [0, 1, 2, 2, 4, 4, 8, 512, 2**40] and found.dtype == torch.int64


def test_noise_of_counts_has_its_law() -> None:
    """P(n) of the noise falls by e^−ε a step, on both sides alike."""
    found = noised(torch.full((60_000,), 1000), 0.7, generator()) - 1000
    for gap in (0, 1, 2):
        for sign in (1, -1):
            first = int((found == sign * gap).sum())
            assert int((found == sign * (gap + 1)).sum()) / first == pytest.approx(
                math.exp(-0.7), rel=0.06
            )
    assert found.dtype == torch.int64 and abs(float(found.double().mean())) < 0.02


def test_noised_counts_are_counts() -> None:
    first, again = (noised(torch.zeros(1000).long(), 0.1, generator(2)) for _ in range(2))
    assert torch.equal(first, again) and int(first.min()) == 0 and int(first.max()) > 0
    with pytest.raises(BadInput):
        noised(torch.zeros(1).long(), 0.0, generator())
