"""The mathematics: vectors computed by hand, the formulas class by class, and what is proved."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.federate.aggregation import average
from tastemaker.federate.baselines import cross_entropy
from tastemaker.federate.fedssd import (
    FedSSD,
    class_credibility,
    confusion,
    distillation,
    grouped,
    measured,
    rates,
    sample_credibility,
    selection,
    weights,
)
from tastemaker.federate.objectives import LocalObjective
from tastemaker.seams import Broadcast, Outputs, Reply
from tests.federate.toy import Part, Toy, part_of

COUNTS = torch.tensor([[8, 1, 1], [2, 6, 2], [0, 10, 10]])
"""Of three classes with 10, 10 and 20 samples."""


def random(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_hand(student: Tensor, teacher: Tensor, labels: list[int], credible: list[float],
            config: FedSSD) -> float:  # fmt: skip
    """(2) to (4), class by class, in plain Python."""
    total = 0.0
    for z_l, z_g, y in zip(student.tolist(), teacher.tolist(), labels, strict=True):
        true = math.exp(z_g[y]) / sum(map(math.exp, z_g))
        sure = 1 - math.sqrt(1 - true)
        for k, of_class in enumerate(credible):
            both = {"both": of_class * sure, "class": of_class, "sample": sure, "none": 1}
            weight = config.m_max * max(both[config.selects] - config.threshold, 0)
            if config.inside:
                weight = max(config.m_max * both[config.selects] - config.threshold, 0)
            if config.selects == "none":
                weight = config.m_max
            total += (weight * (z_g[k] - z_l[k])) ** 2
    return total / len(labels)


def test_a_row_is_a_true_class() -> None:
    labels, predicted = torch.tensor([0, 0, 0, 2]), torch.tensor([0, 1, 1, 0])
    assert confusion(labels, predicted, 3).tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 0]]


def test_three_classes_by_hand() -> None:
    found = class_credibility(rates(COUNTS)).tolist()
    # .8 (1 − max(.2, 0)), .6 (1 − max(.1, .5)), .5 (1 − max(.1, .2))
    assert found == pytest.approx([0.64, 0.3, 0.4], abs=1e-12)


def test_a_transposed_matrix_is_another_answer() -> None:
    found = class_credibility(rates(COUNTS).T).tolist()
    assert found == pytest.approx([0.72, 0.48, 0.25], abs=1e-12)
    turned = class_credibility(rates(COUNTS.T)).tolist()
    assert turned == pytest.approx([0.8 * 12 / 13, 6 / 17 * 0.8, 10 / 13 * 7 / 17], abs=1e-12)


@pytest.mark.parametrize("classes", [1, 2, 10])
def test_a_perfect_model_is_credible(classes: int) -> None:
    labels = torch.arange(classes).repeat(3)
    assert class_credibility(rates(confusion(labels, labels, classes))).tolist() == [1.0] * classes


@pytest.mark.parametrize("classes", [2, 10])
def test_a_constant_model_is_not(classes: int) -> None:
    labels = torch.arange(classes)
    for constant in range(classes):
        counts = confusion(labels, torch.full_like(labels, constant), classes)
        assert class_credibility(rates(counts)).tolist() == [0.0] * classes


def test_a_class_without_samples_is_not_credible_and_no_nan() -> None:
    labels = torch.tensor([0, 0, 2])
    assert class_credibility(rates(confusion(labels, labels, 4))).tolist() == [1, 0, 1, 0]
    assert class_credibility(rates(torch.zeros(3, 3, dtype=torch.int64))).tolist() == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=60), st.randoms())
@settings(max_examples=60, deadline=None)
def test_credibility_of_classes_is_a_share_whatever_the_order(pairs, shuffler) -> None:  # type: ignore[no-untyped-def]
    def credible() -> list[float]:
        told = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2)
        return class_credibility(rates(confusion(told[:, 0], told[:, 1], 5))).tolist()

    first = credible()
    assert all(0 <= one <= 1 for one in first)
    shuffler.shuffle(pairs)
    assert credible() == first


@pytest.mark.parametrize("label", [-1, 3, 2**40])
def test_a_label_that_is_no_class_is_named(label: int) -> None:
    labels = torch.tensor([0, label])
    with pytest.raises(BadInput) as refused:
        confusion(labels, torch.zeros_like(labels), 3)
    assert str(label) in refused.value.what


def test_credibility_of_a_sample_by_hand() -> None:
    found = sample_credibility(torch.tensor([0.0, 0.19, 0.75, 0.96, 1.0]))
    assert found.tolist() == pytest.approx([0, 0.1, 0.5, 0.8, 1], abs=1e-6)


@given(st.lists(st.floats(0, 1, width=32), min_size=2, max_size=50))
@settings(max_examples=60, deadline=None)
def test_credibility_of_a_sample_grows_with_its_probability(probabilities: list[float]) -> None:
    found = sample_credibility(torch.tensor(sorted(probabilities)))
    assert bool((found.diff() >= 0).all()) and 0 <= float(found[0]) <= float(found[-1]) <= 1


@pytest.mark.parametrize("probability", [1.0, 1.0000002, -1e-7])
def test_rounding_of_a_probability_is_no_nan(probability: float) -> None:
    assert 0 <= float(sample_credibility(torch.tensor([probability]))[0]) <= 1


def test_no_gradient_reaches_the_global_model_or_the_weights() -> None:
    """Where it is certain, the root has an infinite derivative."""
    teacher = torch.tensor([[200.0, 0, 0], [0, 1, 0]], requires_grad=True)
    student, credibility = torch.zeros(2, 3, requires_grad=True), torch.ones(3, requires_grad=True)
    chosen = selection(teacher, torch.tensor([0, 1]), credibility, FedSSD())
    distillation(student, teacher, chosen, 2).backward()
    assert student.grad is not None and bool(student.grad.isfinite().all())
    assert teacher.grad is None and credibility.grad is None
    assert not sample_credibility(torch.ones(2, requires_grad=True)).requires_grad


def test_weights_by_hand() -> None:
    """One target with a probability of .75 for its class, so half credible."""
    half, credible = torch.tensor([0.5]), torch.tensor([1.0, 0.6, 0.1])
    for config, expected in (
        (FedSSD(), [0.4, 0.2, 0]),
        (FedSSD(m_max=3), [1.2, 0.6, 0]),
        (FedSSD(m_max=3, inside=True), [1.4, 0.8, 0.05]),
        (FedSSD(selects="class", m_max=2), [1.8, 1.0, 0]),
        (FedSSD(selects="sample", m_max=2), [0.8, 0.8, 0.8]),
        (FedSSD(selects="none", m_max=2), [2, 2, 2]),
    ):
        assert weights(credible, half, config)[0].tolist() == pytest.approx(expected, abs=1e-6)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["both", "class", "sample"]),
       st.floats(0, 5), st.floats(0, 1))  # fmt: skip
@settings(max_examples=60, deadline=None)
def test_weights_stay_in_their_range(seed: int, selects, m_max: float, threshold: float) -> None:  # type: ignore[no-untyped-def]
    generator = torch.Generator().manual_seed(seed)
    credible, sure = torch.rand(6, generator=generator), torch.rand(4, generator=generator)
    found = weights(credible, sure, FedSSD(m_max, threshold, selects))
    assert found.shape == (4, 6)
    assert 0 <= float(found.min()) <= float(found.max()) <= m_max * (1 - threshold) * (1 + 1e-6)


def test_both_places_of_the_strength_are_one_at_one() -> None:
    credible, sure = torch.rand(5), torch.rand(7)
    for m_max, same in ((1.0, True), (3.0, False)):
        outside = weights(credible, sure, FedSSD(m_max))
        assert torch.equal(outside, weights(credible, sure, FedSSD(m_max, inside=True))) == same


@pytest.mark.parametrize("selects", ["both", "class", "sample", "none"])
@pytest.mark.parametrize("inside", [False, True])
def test_the_loss_is_that_class_by_class(selects, inside: bool) -> None:  # type: ignore[no-untyped-def]
    config = FedSSD(2.5, 0.05, selects, inside)
    student, teacher, labels = random(7, 4), random(7, 4, seed=1), torch.arange(7) % 4
    credible = [0.9, 0.5, 0.0, 1.0]
    chosen = selection(teacher, labels, torch.tensor(credible), config)
    found = distillation(student, teacher, chosen, 7)
    expected = by_hand(student, teacher, labels.tolist(), credible, config)
    assert float(found) == pytest.approx(expected, rel=1e-6)


def test_the_gradient_is_that_of_the_formula() -> None:
    student, teacher = random(7, 4).requires_grad_(), random(7, 4, seed=1)
    chosen = random(7, 4, seed=2).abs()
    distillation(student, teacher, chosen, 9).backward()
    expected = 2 * chosen.square() * (student - teacher) / 9
    assert torch.allclose(student.grad, expected, rtol=1e-12)  # type: ignore[arg-type]


def test_centred_logits_ignore_a_shift() -> None:
    student, teacher, chosen = random(3, 5), random(3, 5, seed=1), torch.ones(3, 5)
    found = distillation(student, teacher, chosen, 3, centred=True)
    shifted = distillation(student + 100 * random(3, 1), teacher, chosen, 3, centred=True)
    assert float(found) == pytest.approx(float(shifted), rel=1e-9)
    assert float(distillation(student + 7, student, chosen, 3, centred=True)) < 1e-20
    assert float(distillation(student + 7, student, chosen, 3)) > 1


def test_an_untrained_global_model_weighs_nothing() -> None:
    teacher = 0.05 * random(50, 10)
    assert not selection(teacher, torch.arange(50) % 10, torch.ones(10), FedSSD()).any()


def test_groups_add_up() -> None:
    groups = torch.tensor([2, 0, 0, 2])
    found = grouped(torch.tensor([[0.1, 0.2, 0.3, 0.4]]), groups, 3)
    assert found[0].tolist() == pytest.approx([0.5, 0, 0.5])


def test_a_model_is_measured_on_all_parts_and_left_as_it_was() -> None:
    model, halves = Toy(), [part_of(seed=0), part_of(seed=1)]
    model.train()
    found = measured(model, halves)
    assert model.training and model.dropout.training
    model.eval()
    labels = torch.cat([half.labels for half in halves])
    logits = torch.cat([model.outputs(half).logits for half in halves])
    counts = confusion(labels, logits.argmax(1), 3)
    assert list(found) == class_credibility(rates(counts)).tolist()


def test_a_model_with_groups_is_measured_by_their_mass() -> None:
    """No class is likeliest alone, but its group is."""

    class Fixed(nn.Module):
        groups = torch.tensor([0, 1, 1])

        def outputs(self, part: Part) -> Outputs:
            logits = torch.tensor([0.4, 0.3, 0.3]).log().expand(len(part.labels), 3)
            return Outputs(logits, part.labels, logits)

    labels = torch.tensor([1, 2, 2])
    assert measured(Fixed(), [Part(torch.zeros(3, 1), labels, 3)]) == (0.0, 1.0)


def test_an_empty_auxiliary_set_is_refused() -> None:
    with pytest.raises(BadInput):
        measured(Toy(), [])


@pytest.mark.parametrize(
    "wrong",
    [{"m_max": -1.0}, {"m_max": math.nan}, {"m_max": math.inf}, {"m_max": "1"},
     {"threshold": -0.1}, {"threshold": 1.1}, {"threshold": True}],
)  # fmt: skip
def test_values_that_mean_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput) as refused:
        FedSSD(**wrong)  # type: ignore[arg-type]
    assert refused.value.where == next(iter(wrong))


def test_credibility_of_classes_is_asked_for_where_it_is_used() -> None:
    assert FedSSD().asks and FedSSD(selects="class").asks
    assert not (FedSSD(selects="sample").asks or FedSSD(selects="none").asks or FedSSD(0).asks)


class Linear(nn.Module):
    """Logits that are linear in the weights, without a bias."""

    private = by_row = frozenset[str]()

    def __init__(self, inputs: int = 5, classes: int = 3) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(classes, inputs, dtype=torch.float64))

    def outputs(self, part: Part) -> Outputs:
        return Outputs(part.inputs @ self.weight.T, part.labels, part.inputs)

    def forward(self, part: Part) -> Tensor:
        return cross_entropy(self.outputs(part), part.target_count)


def linear_part(seed: int, count: int = 30) -> Part:
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    return Part(random(count, 5, seed=seed), labels, count)


@given(st.integers(0, 2**32 - 1), st.floats(0, 4), st.floats(0, 10), st.booleans())
@settings(max_examples=60, deadline=None)
def test_the_term_is_bounded_by_the_distance(
    seed: int, m_max: float, far: float, inside: bool
) -> None:
    """0 ≤ L_SSD ≤ m_max² L² ‖w − w_t‖², where L of linear logits is the longest input."""
    part, model = linear_part(seed), Linear()
    with torch.no_grad():
        model.weight += random(3, 5, seed=seed)
    before = model.weight.detach().clone()
    teacher = model.outputs(part).logits.detach()
    with torch.no_grad():
        model.weight += far * random(3, 5, seed=seed + 1)
    config = FedSSD(m_max, 0.0, inside=inside)
    chosen = selection(teacher, part.labels, torch.rand(3), config)
    found = float(distillation(model.outputs(part).logits.detach(), teacher, chosen, 30))
    lipschitz = float(part.inputs.norm(dim=1).max())
    distance = float((model.weight.detach() - before).norm())
    assert 0 <= found <= (m_max * lipschitz * distance) ** 2 * (1 + 1e-9)


def smoothness(part: Part, m_max: float) -> float:
    """L + 2 m_max² L_z²: of the cross entropy of linear logits, and of the term."""
    curvature = float(torch.linalg.eigvalsh(part.inputs.T @ part.inputs / len(part.labels))[-1])
    return curvature / 2 + 2 * m_max**2 * curvature


def descent(method: FedSSD, share: float, seed: int, steps: int = 40) -> list[float]:
    """The local objective over full-batch steps of that share of 1 / smoothness."""
    part, model = linear_part(seed), Linear()
    with torch.no_grad():
        model.weight += random(3, 5, seed=seed)
    broadcast = Broadcast(1, {"weight": model.weight.detach().clone()}, (1.0, 0.8, 0.5))
    objective = LocalObjective(model, method, broadcast)
    optimizer = torch.optim.SGD(model.parameters(), share / smoothness(part, method.m_max))
    found = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = objective(part)
        loss.backward()
        found.append(loss.item())
        optimizer.step()
    return found


@pytest.mark.parametrize("m_max", [0.3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("selects", ["both", "none"])
@pytest.mark.parametrize("seed", range(3))
def test_small_steps_never_raise_the_local_objective(m_max: float, selects, seed: int) -> None:  # type: ignore[no-untyped-def]
    found = descent(FedSSD(m_max, 0.1, selects), 0.99, seed)
    assert all(after <= before + 1e-12 for before, after in zip(found, found[1:], strict=False))
    assert found[-1] < found[0]


def test_steps_beyond_the_bound_can() -> None:
    found = descent(FedSSD(10.0, 0.0, "none"), 3.0, 0)
    assert max(found) > 10 * found[0]


def federation(local_steps: int, rounds: int, lr: float = 0.5) -> float:
    """Norm of the gradient of all data after rounds of three clients with skewed labels."""
    whole, model = linear_part(3, 60), Linear()
    order = whole.labels.argsort()
    rows = [order[:30], order[30:40], order[40:]]
    parts = [Part(whole.inputs[own], whole.labels[own], len(own)) for own in rows]
    for number in range(1, rounds + 1):
        now = {"weight": model.weight.detach().clone()}
        broadcast, replies = Broadcast(number, now, measured(model, [whole])), []
        for client, part in enumerate(parts):
            model.load_state_dict(now)
            objective = LocalObjective(model, FedSSD(), broadcast)
            optimizer = torch.optim.SGD(model.parameters(), lr)
            for _ in range(local_steps):
                optimizer.zero_grad()
                objective(part).backward()
                optimizer.step()
            own = {"weight": model.weight.detach().clone()}
            replies.append(Reply(str(client), number, own, len(part.labels)))
        model.load_state_dict(average(now, replies))
    model.zero_grad()
    model(whole).backward()
    return float(model.weight.grad.norm())  # type: ignore[union-attr]


def test_one_local_step_ends_where_the_gradient_of_all_data_does() -> None:
    assert federation(1, 150) < 1e-3


def test_several_local_steps_do_not() -> None:
    """What is claimed of FedSSD with several is no more than a bound: clients drift."""
    assert federation(5, 50) > 1e-3
