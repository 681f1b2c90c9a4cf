"""Test and server's examples are taken out first; everything else is somebody's, once."""

import numpy as np
import pytest
import torch
from torch import nn

from tastemaker.data.labelled import read_table
from tastemaker.errors import BadInput
from tastemaker.run.federate_parts import PartitionConfig, parted
from tastemaker.seams import Outputs
from tests.run.federated import frame, labelled

SMALL = PartitionConfig(clients=4, alpha=0.5, least=5, test=0.25, auxiliary=6)


@pytest.mark.parametrize("by", ["", "town"])
def test_every_example_has_one_place(by: str) -> None:
    data = labelled(by)
    marked = type(data)(data.name, data.inputs, data.labels, data.form, data.silos, data.silo)
    marked.inputs[:, 0] = np.arange(len(data.labels))  # the number of each row
    parts = parted(marked, SMALL, 0)
    assert parts.auxiliary is not None
    every = [parts.test, parts.auxiliary, *parts.clients.values()]
    rows = torch.cat([examples.inputs[:, 0] for examples in every])
    assert len(rows) == len(set(rows.tolist())) == 120
    assert parts.test.labels.bincount().tolist() == [10, 10, 10]
    assert parts.auxiliary.labels.bincount().tolist() == [6, 6, 6]
    assert parts.held.sum() == 72 and parts.held.shape == (3 if by else 4, 3)
    assert list(parts.clients) == (["east", "north", "south"] if by else ["1", "2", "3", "4"])


def test_who_holds_what_depends_on_the_seed_alone() -> None:
    one, same, other = (parted(labelled(), SMALL, seed) for seed in (0, 0, 1))
    for name in one.clients:
        assert one.clients[name].inputs.equal(same.clients[name].inputs)
    assert not one.test.inputs.equal(other.test.inputs)


def test_numbers_are_scaled_by_what_the_server_sees_alone() -> None:
    parts = parted(labelled(), SMALL, 0)
    assert parts.auxiliary is not None
    seen = parts.auxiliary.inputs
    torch.testing.assert_close(seen[:, :2].mean(0), torch.zeros(2), atol=1e-2, rtol=0)
    torch.testing.assert_close(seen[:, :2].std(0, correction=0), torch.ones(2), atol=1e-2, rtol=0)
    assert set(seen[:, 2:].unique().tolist()) == {0.0, 1.0}


def test_without_examples_of_the_server_numbers_stay_as_they_are() -> None:
    parts = parted(labelled(), PartitionConfig(clients=2, auxiliary=0), 0)
    assert parts.auxiliary is None and parts.test.inputs[:, 0].max() > 1000


class Told(nn.Module):
    """Says the class that stands in the first feature, unless it is 2."""

    def __init__(self) -> None:
        super().__init__()
        self.none = nn.Parameter(torch.zeros(()))

    def outputs(self, part: object) -> Outputs:
        inputs, labels = part.inputs, part.labels  # type: ignore[attr-defined]
        said = torch.where(labels == 2, 0, labels)
        return Outputs(nn.functional.one_hot(said, 3).float(), labels, inputs)


def test_the_worst_client_is_told_by_its_classes_or_its_own_test() -> None:
    dealt = parted(labelled(), SMALL, 0)
    want = 1 - dealt.mixes[:, 2]
    np.testing.assert_allclose(dealt.accuracies(Told()), want)
    told = dealt.evaluate(3)(Told())
    assert told["worst_client"] == pytest.approx(want.min()) and told["worst_class"] == 0
    own = parted(labelled("town"), SMALL, 0)
    assert own.owners is not None
    right = own.test.labels.numpy() != 2
    want = np.array([right[own.owners == silo].mean() for silo in range(3)])
    np.testing.assert_allclose(own.accuracies(Told()), want)
    assert own.evaluate(3)(Told())["worst_client"] == pytest.approx(want.min())


def test_a_silo_without_a_test_is_not_the_worst() -> None:
    table = frame().with_columns(town=frame()["town"].to_frame().to_series())
    parts = parted(read_table(table, "kind", "town"), SMALL, 0)
    assert parts.owners is not None
    parts.owners[:] = 0
    assert np.isnan(parts.accuracies(Told())).tolist() == [False, True, True]
    assert parts.evaluate(3)(Told())["worst_client"] > 0


def test_a_silo_of_which_nothing_is_left_is_named() -> None:
    table = frame().with_row_index("row")
    alone = table.with_columns(town="row").with_columns(
        town=table["row"].clip(0, 60).cast(str)  # sixty silos of one row each
    )
    with pytest.raises(BadInput) as fault:
        parted(read_table(alone, "kind", "town", ["row"]), SMALL, 0)
    assert fault.value.where.startswith("silo ")


@pytest.mark.parametrize("given", [{"test": 0.0}, {"test": 1.0}, {"auxiliary": -1}])
def test_what_means_nothing_is_refused(given: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        PartitionConfig(**given)  # type: ignore[arg-type]
