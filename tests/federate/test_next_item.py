"""Next-item models as clients train them: what they are asked, and what of them stays."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from tastemaker.data.batches import Batch
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.federate.client import shared
from tastemaker.federate.fedssd import FedSSD, class_credibility, distillation, measured, rates
from tastemaker.federate.next_item import FederatedItems, smallest_groups
from tastemaker.federate.objectives import Frozen, LocalObjective
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.seams import Broadcast, Outputs
from tests.federate.items import GROUPS, ITEMS, grouping, model, walks

SAMPLED = {"loss": "sampled", "negatives": 7}


def batch(federated: FederatedItems, users: int = 9) -> Batch:
    return next(federated.batches(walks(users), 100).epoch(0))


def test_all_items_compete_for_every_target() -> None:
    federated = model()
    step = batch(federated)
    outputs = federated.outputs(step)
    assert step.targets is not None
    wanted = step.targets > 0
    assert outputs.logits.shape == (step.target_count, ITEMS)
    assert outputs.labels.tolist() == (step.targets[wanted] - 1).tolist()
    states = federated.model.states(step)[wanted]
    torch.testing.assert_close(outputs.features, states)
    torch.testing.assert_close(outputs.logits, states @ federated.model.table()[1:].T)


def test_the_own_loss_is_that_of_the_model_and_the_cross_entropy() -> None:
    federated = model()
    step = batch(federated)
    outputs = federated.outputs(step)
    assert outputs.loss is not None
    torch.testing.assert_close(outputs.loss, federated.model.loss(step), rtol=0, atol=0)
    torch.testing.assert_close(outputs.loss, federated(step), rtol=0, atol=0)
    torch.testing.assert_close(outputs.loss, F.cross_entropy(outputs.logits, outputs.labels))


SHAPE = {"dim": 8, "layers": 1, "heads": 1, "dropout": 0.0, "history": 6}


@pytest.mark.parametrize("inner", [ESASRec(ESASRecConfig(**SHAPE, loss="softmax"), ITEMS),
                                   HSTU(HSTUConfig(**SHAPE, loss="softmax"), ITEMS)])  # fmt: skip
def test_every_model_that_knows_items_by_id_is_federated(inner: ESASRec | HSTU) -> None:
    federated = FederatedItems(inner, GROUPS)
    outputs = federated.outputs(batch(federated))
    expected = F.cross_entropy(outputs.logits, outputs.labels)
    torch.testing.assert_close(federated(batch(federated)), expected)


def test_of_a_sample_the_target_and_the_negatives_compete() -> None:
    federated = model(**SAMPLED)
    step = batch(federated)
    outputs = federated.outputs(step)
    assert step.targets is not None and step.negatives is not None
    targets = step.targets[step.targets > 0]
    full = outputs.features @ federated.model.table().T
    assert outputs.classes is not None
    assert (outputs.labels == 0).all()
    for row, target in enumerate(targets.tolist()):
        competes = outputs.classes[row] >= 0
        codes = outputs.classes[row][competes] + 1
        assert codes[0] == target
        assert sorted(codes.tolist()) == sorted({target, *step.negatives.tolist()})
        torch.testing.assert_close(outputs.logits[row][competes], full[row][codes])
    shares = outputs.logits.softmax(1)
    assert (shares[outputs.classes < 0] == 0).all()
    assert (outputs.classes < 0).any(), "a negative was a target"


def test_padding_changes_nothing() -> None:
    federated = model(history=24)
    for step in federated.batches(walks(30), 100).epoch(0):
        assert (step.targets == 0).any()
        tight = federated.outputs(step)
        rows = len(step.items)
        empty, no = torch.zeros(rows, 2, dtype=torch.int64), torch.zeros(rows, 2, dtype=torch.bool)
        wide = replace(
            step,
            items=torch.cat([step.items, empty], 1),
            valid=torch.cat([step.valid, no], 1),
            targets=torch.cat([step.targets, empty], 1),
            position_ids=torch.arange(step.items.shape[1] + 2),
        )
        assert len(tight.labels) == step.target_count
        torch.testing.assert_close(federated.outputs(wide).logits, tight.logits)


def test_no_group_is_a_weight() -> None:
    federated = model()
    assert set(federated.state_dict()) == {f"model.{name}" for name in federated.model.state_dict()}
    assert federated.groups.tolist() == [code % 4 for code in range(ITEMS)]
    assert federated.by_row == {"model.items.weight"}
    inner = federated.model
    assert FederatedItems(inner, GROUPS, row_wise=False).by_row == frozenset()


def test_parts_that_stay_at_a_silo_are_named() -> None:
    federated = model(private=("final_norm", "positions.weight"))
    inside = {"model.final_norm.weight", "model.final_norm.bias", "model.positions.weight"}
    assert federated.private == inside
    assert FederatedItems(federated.model, GROUPS, ("items",)).by_row == frozenset()
    with pytest.raises(BadInput) as refused:
        model(private=("adapter",))
    assert "final_norm" in refused.value.fix


def test_groups_of_other_items_are_refused() -> None:
    inner = model().model
    with pytest.raises(BadInput):
        FederatedItems(inner, grouping([0, 1, 0]))
    with pytest.raises(BadInput):
        FederatedItems(inner, Grouping(GROUPS.names, GROUPS.membership, "users"))


def test_an_item_of_several_groups_is_of_the_smallest() -> None:
    labels = [["big", "small"], ["big"], ["big", "middle"], ["middle", "big"], [], ["big"]]
    groups = Grouping.from_labels(labels, "items")  # type: ignore[arg-type]
    assert groups.names == ("big", "middle", "small", "other")
    assert smallest_groups(groups).tolist() == [2, 0, 1, 1, 3, 0]


def test_groups_that_are_nobodys_have_no_number() -> None:
    labels = [["a", "b"], ["b"], ["a", "b", "c"], ["c"], ["c"]]
    groups = Grouping.from_labels(labels, "items")  # type: ignore[arg-type]
    assert smallest_groups(groups).max() == len(set(smallest_groups(groups))) - 1


OURS = FedSSD(m_max=3.0, threshold=0.0, centred=True)


def objective(
    federated: FederatedItems, config: FedSSD, credibility: tuple[float, ...] = (0.9, 0.5, 0.0, 0.7)
) -> LocalObjective:
    """Of a model one step away from the global one."""
    sent = Broadcast(1, shared(model(seed=1, **shape_of(federated))), credibility)
    return LocalObjective(federated, config, sent)


def shape_of(federated: FederatedItems) -> dict[str, object]:
    config = federated.model.config
    return {"loss": config.loss, "negatives": config.negatives}


@pytest.mark.parametrize("shape", [{}, SAMPLED, {"loss": "gbce", "negatives": 7}])
def test_the_term_by_loops(shape: dict[str, object]) -> None:
    """Over what competes alone, item by item, with the mass of each group."""
    federated = model(**shape)
    step, credibility = batch(federated), (0.9, 0.5, 0.0, 0.7)
    student = federated.outputs(step)
    teacher = model(seed=1, **shape_of(federated)).outputs(step)
    total = 0.0
    for row, label in enumerate(student.labels.tolist()):
        classes = torch.arange(ITEMS) if student.classes is None else student.classes[row]
        columns = [k for k, item in enumerate(classes.tolist()) if item >= 0]
        group = {k: int(classes[k]) % 4 for k in columns}
        shares = teacher.logits[row, columns].double().softmax(0).tolist()
        mass = sum(p for p, k in zip(shares, columns, strict=True) if group[k] == group[label])
        sample = 1 - max(0.0, 1 - mass) ** 0.5
        apart = (teacher.logits[row, columns] - student.logits[row, columns]).double()
        apart = apart - apart.mean()
        for k, difference in zip(columns, apart.tolist(), strict=True):
            total += (3 * credibility[group[k]] * sample * difference) ** 2
    assert total > 0
    whole = objective(federated, OURS, credibility)(step)
    expected = federated(step).item() + total / step.target_count
    assert whole.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("shape", [{}, SAMPLED])
def test_a_shift_of_all_logits_costs_nothing(shape: dict[str, object]) -> None:
    federated = model(**shape)
    outputs = federated.outputs(batch(federated))
    competing = None if outputs.classes is None else outputs.classes >= 0
    weights = torch.ones_like(outputs.logits) * (True if competing is None else competing)
    shifted = outputs.logits + 5
    if competing is not None:
        shifted = torch.where(competing, shifted, outputs.logits)
    assert distillation(outputs.logits, shifted, weights, 1, True, competing).item() < 1e-6
    assert distillation(outputs.logits, shifted, weights, 1).item() > 1


@pytest.mark.parametrize("shape", [{}, SAMPLED])
def test_strength_zero_and_the_global_model_itself(shape: dict[str, object]) -> None:
    federated = model(**shape)
    step = batch(federated)
    assert objective(federated, FedSSD(m_max=0))(step).item() == federated(step).item()
    sent = Broadcast(1, shared(federated), (0.9, 0.5, 0.1, 0.7))
    whole = LocalObjective(federated, OURS, sent)
    whole(step).backward()
    found = {name: one.grad for name, one in federated.named_parameters()}
    federated.zero_grad(set_to_none=True)
    federated(step).backward()
    for name, one in federated.named_parameters():
        assert one.grad is not None
        torch.testing.assert_close(found[name], one.grad)


@pytest.mark.parametrize("shape", [{}, SAMPLED])
def test_a_panel_tells_how_credible_each_group_is(shape: dict[str, object]) -> None:
    federated = model(**shape)
    steps = federated.batches(walks(12, seed=5), 100)
    counts = torch.zeros(4, 4)
    with torch.no_grad():
        for step in steps.epoch(0):
            outputs = federated.outputs(step)
            for row, label in enumerate(outputs.labels.tolist()):
                items = torch.arange(ITEMS) if outputs.classes is None else outputs.classes[row]
                shares = outputs.logits[row].softmax(0)
                masses = [float(shares[(items >= 0) & (items % 4 == g)].sum()) for g in range(4)]
                counts[int(items[label]) % 4, masses.index(max(masses))] += 1
    found = measured(federated, steps.epoch(0))
    assert counts.sum() == steps.targets
    torch.testing.assert_close(torch.tensor(found), class_credibility(rates(counts)).float())


def test_a_perfect_panel_makes_every_group_credible() -> None:
    federated = model()

    class Sure(FederatedItems):
        def outputs(self, part: Batch) -> Outputs:
            labels = federated.outputs(part).labels
            return Outputs(30 * F.one_hot(labels, ITEMS).float(), labels, labels[:, None].float())

    sure = Sure(federated.model, GROUPS)
    assert measured(sure, federated.batches(walks(40), 100).epoch(0)) == (1.0,) * 4


def test_answers_to_a_sample_are_not_kept() -> None:
    """In the next epoch others compete for the same row."""
    federated = model(history=1, **SAMPLED)
    teacher = Frozen(federated, shared(federated), "logits")
    steps = federated.batches(walks(3), 100)
    for number in range(2):
        (step,) = steps.epoch(number)
        expected = federated.outputs(step).logits
        torch.testing.assert_close(teacher(step, len(expected)), expected)
