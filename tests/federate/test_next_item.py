"""Next-item models as clients train them: what they are asked, and what of them stays."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from tastemaker.data.batches import Batch
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.federate.next_item import FederatedItems, smallest_groups
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
