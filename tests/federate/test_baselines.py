"""Every loss against a sum over classes in plain Python, and what SCAFFOLD ends at."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.federate.aggregation import average, next_control
from tastemaker.federate.baselines import (
    FedAvg,
    FedGKD,
    FedNTD,
    FedProx,
    Moon,
    Scaffold,
    contrast,
    cross_entropy,
    divergence,
    drift_correction,
    not_true_divergence,
    own_control,
    proximity,
    refuse_momentum,
)
from tastemaker.seams import Outputs, Reply

SEEDS = st.integers(0, 2**32 - 1)


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def softmax(logits: list[float]) -> list[float]:
    whole = sum(map(math.exp, logits))
    return [math.exp(one) / whole for one in logits]


def kl(teacher: list[float], student: list[float]) -> float:
    pairs = zip(softmax(teacher), softmax(student), strict=True)
    return sum(p * math.log(p / q) for p, q in pairs)


def test_cross_entropy_is_the_dense_sum() -> None:
    logits, labels = random(6, 4), torch.arange(6) % 4
    expected = -sum(math.log(softmax(z)[y]) for z, y in zip(logits.tolist(), labels, strict=True))
    assert float(cross_entropy(Outputs(logits, labels, logits), 9)) == pytest.approx(expected / 9)


@given(SEEDS, st.floats(0, 3))
@settings(max_examples=20, deadline=None)
def test_proximity_is_the_dense_sum(seed: int, mu: float) -> None:
    """Over what the server sent alone: neither private parameters nor counters."""
    parameters = {"a": random(2, 3, seed=seed), "b": random(4, seed=seed + 1), "own": random(2)}
    anchor = {"b": random(4), "a": random(2, 3), "steps": torch.tensor(3)}
    expected = mu / 2 * sum(
        (x - y) ** 2
        for name in ("a", "b")
        for x, y in zip(parameters[name].flatten().tolist(), anchor[name].flatten().tolist(),
                        strict=True)
    )  # fmt: skip
    assert float(proximity(parameters, anchor, mu)) == pytest.approx(expected)


@given(SEEDS, st.integers(2, 6), st.floats(0.3, 5))
@settings(max_examples=30, deadline=None)
def test_not_true_divergence_is_the_dense_sum(seed: int, classes: int, heat: float) -> None:
    student, teacher = random(5, classes, seed=seed), random(5, classes, seed=seed + 1)
    labels = torch.arange(5) % classes
    found = not_true_divergence(student, teacher, labels, heat)
    for x, y in enumerate(labels.tolist()):
        z_l, z_g = (
            [one / heat for k, one in enumerate(logits[x].tolist()) if k != y]
            for logits in (student, teacher)
        )
        assert float(found[x]) == pytest.approx(heat**2 * kl(z_g, z_l), abs=1e-12)


def test_the_true_logit_does_not_matter_to_fedntd() -> None:
    student, teacher, labels = random(5, 4), random(5, 4, seed=1), torch.arange(5) % 4
    student.requires_grad_()
    found = not_true_divergence(student, teacher, labels, 1.0)
    found.sum().backward()
    assert student.grad is not None
    true = torch.nn.functional.one_hot(labels, 4).bool()
    assert not student.grad[true].any() and student.grad[~true].any()
    lifted = student.detach() + 9.0 * true
    assert torch.equal(not_true_divergence(lifted, teacher + 5 * true, labels, 1.0), found.detach())


@given(SEEDS, st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_divergence_is_the_dense_sum(seed: int, classes: int) -> None:
    student, teacher = random(5, classes, seed=seed), random(5, classes, seed=seed + 1)
    found = divergence(student, teacher)
    for x in range(5):
        expected = kl(teacher[x].tolist(), student[x].tolist())
        assert float(found[x]) == pytest.approx(expected, abs=1e-12)


@given(SEEDS, st.floats(0.1, 2))
@settings(max_examples=30, deadline=None)
def test_contrast_is_the_dense_sum(seed: int, heat: float) -> None:
    h, near, far = (random(4, 6, seed=seed + one) for one in range(3))

    def similar(a: Tensor, b: Tensor) -> float:
        pairs = list(zip(a.tolist(), b.tolist(), strict=True))
        return sum(x * y for x, y in pairs) / float(a.norm() * b.norm())

    found = contrast(h, near, far, heat)
    for x in range(4):
        to_global = math.exp(similar(h[x], near[x]) / heat)
        to_own = math.exp(similar(h[x], far[x]) / heat)
        assert float(found[x]) == pytest.approx(-math.log(to_global / (to_global + to_own)))


def test_features_of_zeros_are_no_nan() -> None:
    h = torch.zeros(2, 3, requires_grad=True)
    contrast(h, torch.ones(2, 3), torch.zeros(2, 3), 0.5).sum().backward()
    assert h.grad is not None and bool(h.grad.isfinite().all())


LOSSES: list[Callable[[Tensor, Tensor], Tensor]] = [
    divergence,
    lambda z_l, z_g: not_true_divergence(z_l, z_g, torch.zeros(4, dtype=torch.int64), 2.0),
    lambda h, h_g: contrast(h, h_g, h_g + 1, 0.5),
]


@pytest.mark.parametrize("loss", LOSSES)
def test_no_gradient_reaches_the_global_model(loss: Callable[[Tensor, Tensor], Tensor]) -> None:
    student, teacher = random(4, 5).requires_grad_(), random(4, 5, seed=1).requires_grad_()
    loss(student, teacher).sum().backward()
    assert student.grad is not None and teacher.grad is None


@pytest.mark.parametrize("loss", LOSSES[:2])
def test_a_local_model_that_is_the_global_one_diverges_nowhere(
    loss: Callable[[Tensor, Tensor], Tensor],
) -> None:
    student = random(4, 5).requires_grad_()
    found = loss(student, student.detach().clone())
    found.sum().backward()
    assert student.grad is not None
    assert float(found.detach().abs().max()) < 1e-12 and float(student.grad.abs().max()) < 1e-12


def test_the_gradient_of_scaffold_s_term_is_its_correction() -> None:
    parameters = {"a": random(3).requires_grad_(), "own": random(2).requires_grad_()}
    control, own = {"a": random(3, seed=1)}, {"a": random(3, seed=2)}
    drift_correction(parameters, control, own).backward()
    assert torch.equal(parameters["a"].grad, control["a"] - own["a"])  # type: ignore[arg-type]
    assert parameters["own"].grad is None
    assert float(drift_correction(parameters, {}, {})) == 0


def test_a_control_is_the_gradient_that_was_met() -> None:
    """Plain steps along g − c_i + c of a gradient that stays the same."""
    g, lr, steps = random(3, seed=5), 0.1, 7
    start, control, own = {"a": random(3)}, {"a": random(3, seed=1)}, {"a": random(3, seed=2)}
    end = {"a": start["a"] - steps * lr * (g - own["a"] + control["a"])}
    assert torch.allclose(own_control(start, end, control, own, steps * lr)["a"], g)
    first = {"a": start["a"] - steps * lr * g}
    assert torch.allclose(own_control(start, first, {}, {}, steps * lr)["a"], g)


def quadratics(scaffold: bool, participating: int, rounds: int = 60) -> float:
    """Where clients with losses a (w − b)² / 2 of their own end after rounds of five steps."""
    curvature, optimum = (1.0, 4.0, 0.3), (0.0, 1.0, -5.0)
    now, lr, steps = {"w": torch.zeros(1, dtype=torch.float64)}, 0.1, 5
    control: dict[str, Tensor] = {}
    own: dict[int, dict[str, Tensor]] = {0: {}, 1: {}, 2: {}}
    for number in range(1, rounds + 1):
        replies = []
        for client in [(number + one) % 3 for one in range(participating)]:
            w = {"w": now["w"].clone().requires_grad_()}
            for _ in range(steps):
                loss = curvature[client] / 2 * (w["w"] - optimum[client]).square().sum()
                loss = loss + scaffold * drift_correction(w, control, own[client])
                loss.backward()
                with torch.no_grad():
                    w["w"] -= lr * w["w"].grad  # type: ignore[operator]
                w["w"].grad = None
            end, change = {"w": w["w"].detach()}, {}
            if scaffold:
                after = own_control(now, end, control, own[client], steps * lr)
                change = {"w": after["w"] - own[client].get("w", 0)}
                own[client] = after
            replies.append(Reply(str(client), number, end, 10, control=change))
        now, control = average(now, replies), next_control(control, replies, 3)
    return float(now["w"])


BEST = (1 * 0 + 4 * 1 + 0.3 * -5) / 5.3


def test_scaffold_ends_at_the_optimum_of_all_and_fedavg_does_not() -> None:
    assert quadratics(True, 3) == pytest.approx(BEST, abs=1e-6)
    assert abs(quadratics(False, 3) - BEST) > 0.1


def test_scaffold_does_where_one_client_takes_part_in_a_round() -> None:
    assert quadratics(True, 1, 200) == pytest.approx(BEST, abs=1e-3)


@pytest.mark.parametrize("momentum", [0.9, 0.1])
def test_scaffold_refuses_momentum(momentum: float) -> None:
    refuse_momentum(Scaffold(), 0.0)
    refuse_momentum(FedAvg(), momentum)
    with pytest.raises(BadInput) as refused:
        refuse_momentum(Scaffold(), momentum)
    assert refused.value.where == "momentum"


@pytest.mark.parametrize(
    ("make", "where"),
    [
        (lambda: FedProx(-1), "mu"),
        (lambda: FedNTD(math.nan), "beta"),
        (lambda: FedNTD(1, 0), "temperature"),
        (lambda: FedGKD(math.inf), "gamma"),
        (lambda: Moon(-0.1), "mu"),
        (lambda: Moon(1, -1), "temperature"),
    ],
)
def test_values_that_mean_nothing_are_refused(make: Callable[[], object], where: str) -> None:
    with pytest.raises(BadInput) as refused:
        make()
    assert refused.value.where == where
