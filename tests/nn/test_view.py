"""Views: a wanted position, a cut with a cache, and barred columns are all the same pass."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch
from tastemaker.errors import BadInput
from tastemaker.nn.next_item import NextItemModel
from tastemaker.nn.view import KeyValue, LayerView, Past, View, through
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hllm import HLLM, HLLMConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

ITEMS, ROWS, LENGTH = 30, 5, 9
SHAPE = {"dim": 16, "heads": 2, "dropout": 0.0, "history": LENGTH}


def hllm(layers: int) -> HLLM:
    from tests.recommend.test_hllm import catalog

    try:
        return HLLM(HLLMConfig(layers=layers, max_tokens=4, **SHAPE), ITEMS, catalog())  # type: ignore[arg-type]
    except BadInput:
        pytest.skip("transformers is not installed")


MODELS: dict[str, Callable[[int], NextItemModel]] = {
    "sasrec": lambda n: SASRec(SASRecConfig(layers=n, **SHAPE), ITEMS),  # type: ignore[arg-type]
    "sasrec-query": lambda n: SASRec(SASRecConfig(layers=n, norm="query", **SHAPE), ITEMS),  # type: ignore[arg-type]
    "esasrec": lambda n: ESASRec(ESASRecConfig(layers=n, **SHAPE), ITEMS),  # type: ignore[arg-type]
    "hstu": lambda n: HSTU(HSTUConfig(layers=n, divisor=1, **SHAPE), ITEMS),  # type: ignore[arg-type]
    "hstu-order": lambda n: HSTU(HSTUConfig(layers=n, divisor=1, time="none", **SHAPE), ITEMS),  # type: ignore[arg-type]
    "hllm": hllm,
}
every_model = pytest.mark.parametrize("name", sorted(MODELS))
both_kinds = pytest.mark.parametrize("kind", [torch.float32, torch.float64])


def model(name: str, layers: int = 2, kind: torch.dtype = torch.float64) -> NextItemModel:
    """A model whose weights are so large that what is read matters."""
    torch.manual_seed(0)
    net = MODELS[name](layers).to(kind).eval()
    with torch.no_grad():
        for part, weight in net.named_parameters():
            if weight.dim() == 2 and not part.startswith("item."):
                torch.nn.init.normal_(weight, std=1.5 * weight.shape[1] ** -0.5)
            elif part.endswith(("position", "time")):
                torch.nn.init.normal_(weight, std=0.5)
        net.table()
    return net


def some_batch(lengths: tuple[int, ...] = (9, 6, 5, 2, 9)) -> Batch:
    """Rows of such lengths with times, padded on the right."""
    rng = np.random.default_rng(0)
    valid = torch.arange(LENGTH) < torch.tensor(lengths)[:, None]
    items = torch.from_numpy(rng.integers(1, ITEMS + 1, valid.shape))
    times = torch.from_numpy(np.cumsum(10 ** rng.uniform(0, 6, valid.shape), 1).astype(np.int64))
    return Batch(items * valid, valid, torch.arange(LENGTH), times * valid)


def part(batch: Batch, start: int, stop: int) -> Batch:
    """Positions start..stop−1 of every row, at the places where they stand."""
    assert batch.times is not None
    cut = slice(start, stop)
    items, valid, times = (x[:, cut] for x in (batch.items, batch.valid, batch.times))
    return Batch(items, valid, batch.position_ids[..., cut], times)


def close(one: Tensor, other: Tensor) -> None:
    """Equal to 1e-5 of the largest state in float32, to 1e-10 in float64."""
    bound = (1e-10 if one.dtype == torch.float64 else 1e-5) * max(
        1.0, other.detach().abs().max().item()
    )
    assert (one - other).abs().max() <= bound


def kept(net: NextItemModel, batch: Batch, view: View | None = None) -> Past:
    past = net.read(batch, replace(view or View(), keep=True)).past
    assert past is not None
    return past


@torch.no_grad()
@both_kinds
@every_model
def test_a_wanted_position_is_the_whole_pass_there(name: str, kind: torch.dtype) -> None:
    net, batch = model(name, kind=kind), some_batch()
    whole = net.states(batch)
    assert whole[~batch.valid].abs().max() == 0
    for newest in (torch.tensor([0, 5, 4, 1, 8]), torch.tensor([3, 2, 0, 0, 7])):
        close(net.states(batch, View(newest))[:, 0], whole[torch.arange(ROWS), newest])
    assert net.read(batch).past is None


@torch.no_grad()
@both_kinds
@pytest.mark.parametrize("layers", [2, 16])
@every_model
def test_a_row_cut_anywhere_and_read_after_its_past_is_whole(
    name: str, layers: int, kind: torch.dtype
) -> None:
    net, batch = model(name, layers, kind), some_batch()
    whole = net.states(batch)
    for cut in (1, 4, 8):
        past, late = kept(net, part(batch, 0, cut)), part(batch, cut, LENGTH)
        close(net.states(late, View(past=past)), whole[:, cut:])
        newest = torch.full((ROWS,), LENGTH - 1 - cut)
        close(net.states(late, View(newest, past=past))[:, 0], whole[:, -1])
        other = past.columns(slice(None))
        swapped = tuple(KeyValue(k.flip(0), v.flip(0)) for k, v in past.layers)
        states = net.states(late, View(past=replace(other, layers=swapped)))
        assert (states - whole[:, cut:])[0].abs().max() > 1e-2


@torch.no_grad()
@every_model
def test_a_past_of_several_passes_is_one_past(name: str) -> None:
    net, batch = model(name), some_batch()
    first = kept(net, part(batch, 0, 3))
    both = kept(net, part(batch, 3, 6), View(past=first))
    close(net.states(part(batch, 6, 9), View(past=both)), net.states(batch)[:, 6:])
    none = both.columns(slice(0, 0))
    close(net.states(batch, View(past=none)), net.states(batch))


@torch.no_grad()
@both_kinds
@every_model
def test_all_that_is_allowed_is_never_the_future(name: str, kind: torch.dtype) -> None:
    net, batch = model(name, kind=kind), some_batch()
    whole = net.states(batch)
    causal = torch.ones(LENGTH, LENGTH, dtype=torch.bool).tril()
    for allow in (causal, torch.ones_like(causal), causal.expand(ROWS, -1, -1)):
        close(net.states(batch, View(allow=allow)), whole)
        newest = torch.tensor([8, 5, 4, 1, 8])
        states = net.states(batch, View(newest, allow))[:, 0]
        close(states, whole[torch.arange(ROWS), newest])


@every_model
def test_barred_columns_change_those_alone_that_could_read_them(name: str) -> None:
    net, batch = model(name), some_batch((9, 9, 9, 9, 9))
    allow = torch.ones(ROWS, LENGTH, LENGTH, dtype=torch.bool)
    allow[1, 5:, 2] = False
    states, whole = net.states(batch, View(allow=allow)), net.states(batch)
    changed = (states - whole).abs().amax(-1) > 1e-6
    assert changed.nonzero().tolist() == [[1, row] for row in range(5, LENGTH)]
    allow[1, 5:, :3] = False  # with nothing between that has read it, it is as if it were not
    allow[1, 3:, :3] = False
    other = batch.items.clone()
    other[1, :3] = other[1, :3] % ITEMS + 1
    with torch.no_grad():
        states = net.states(batch, View(allow=allow))
        after = net.states(replace(batch, items=other), View(allow=allow))
    close(states[:, 3:], after[:, 3:])
    net.zero_grad()
    net.states(batch, View(allow=allow)).square().sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in net.parameters())
    assert any(p.grad is not None and p.grad.abs().max() > 0 for p in net.parameters())


@both_kinds
@every_model
def test_positions_that_may_read_nothing_are_finite(name: str, kind: torch.dtype) -> None:
    net, batch = model(name, kind=kind), some_batch((9, 9, 9, 9, 9))
    allow = torch.ones(ROWS, LENGTH, LENGTH, dtype=torch.bool).tril()
    allow[0, :5], allow[0, :, :5] = False, False
    states = net.states(batch, View(allow=allow))
    assert torch.isfinite(states).all()
    states.square().sum().backward()
    assert all(p.grad is None or torch.isfinite(p.grad).all() for p in net.parameters())
    close(net.states(batch, View(torch.zeros(ROWS).long(), allow))[:, 0], states[:, 0])


def segments(old: int, tokens: int, padding: Tensor) -> Tensor:
    """(B, N, N): what is newer than the old part reads it through the tokens behind it alone."""
    allow = torch.ones(len(padding), LENGTH, LENGTH, dtype=torch.bool).tril()
    allow[:, old + tokens :, :old] = False
    return allow & (torch.arange(LENGTH) >= padding[:, None])[:, None]


@torch.no_grad()
@both_kinds
@pytest.mark.parametrize("layers", [2, 16])
@every_model
def test_kept_tokens_stand_for_a_compressed_past(name: str, layers: int, kind: torch.dtype) -> None:
    """Old items stand right-aligned, some rows have none; tokens stand at the same place in all."""
    net, batch, old, tokens = model(name, layers, kind), some_batch((9, 9, 9, 9, 8)), 4, 2
    allow = segments(old, tokens, torch.tensor([0, 1, 4, 3, 0]))
    whole, ends = net.states(batch, View(allow=allow)), old + tokens
    early = kept(net, part(batch, 0, ends), View(allow=allow[:, :ends, :ends]))
    view = View(past=early.columns(slice(old, ends)))
    late = part(batch, ends, LENGTH)
    close(net.states(late, view), whole[:, ends:])
    barred = torch.ones(LENGTH - ends, LENGTH - old, dtype=torch.bool)
    barred[:, 0], allow[:, ends:, old] = False, False
    fewer = net.states(batch, View(allow=allow))[:, ends:]
    close(net.states(late, replace(view, allow=barred)), fewer)
    assert (fewer - whole[:, ends:]).abs().max() > 1e-3


@torch.no_grad()
@every_model
def test_rows_may_share_a_past(name: str) -> None:
    net, batch = model(name), some_batch((9, 9, 9, 9, 9))
    same = replace(batch, items=batch.items.clone(), times=batch.times)
    assert same.times is not None
    same.items[:, :4], same.times[:, :4] = same.items[:1, :4], same.times[:1, :4]
    row = part(same, 0, 4)
    assert row.times is not None
    past = kept(net, Batch(row.items[:1], row.valid[:1], row.position_ids[None], row.times[:1]))
    close(net.states(part(same, 4, 9), View(past=past)), net.states(same)[:, 4:])


def test_a_past_that_does_not_fit_is_refused() -> None:
    net, batch = model("hstu"), some_batch()
    past = kept(net, part(batch, 0, 4))
    late = part(batch, 4, LENGTH)
    with pytest.raises(ValueError, match="has none"):
        net.states(late, View(past=replace(past, times=None)))
    with pytest.raises(ValueError, match="a past of 1 layers before 2"):
        net.states(late, View(past=replace(past, layers=past.layers[:1])))
    for name in ("hstu", "sasrec"):
        with pytest.raises(ValueError, match="allow"):
            model(name).states(late, View(allow=torch.ones(4, 5, dtype=torch.bool)))
        with pytest.raises(ValueError, match="allow"):
            newest = torch.zeros(ROWS).long()
            model(name).states(late, View(newest, torch.ones(5, 6, dtype=torch.bool)))


def test_masks_of_what_may_be_read() -> None:
    device = torch.device("cpu")
    assert LayerView().mask(3, 3, device) is None
    fewer = LayerView().mask(2, 3, device)
    assert fewer is not None and fewer.tolist() == [[True, True, False], [True, True, True]]
    one = LayerView(newest=torch.tensor([1])).mask(1, 3, device)
    assert one is not None and one.tolist() == [[[True, True, False]]]
    with pytest.raises(ValueError, match="4 queries are more than the 3"):
        LayerView().mask(4, 3, device)
    with pytest.raises(ValueError, match="2 queries a row"):
        LayerView(newest=torch.tensor([1])).mask(2, 3, device)


def test_keys_and_values_are_let_go_unless_they_are_kept() -> None:
    pair = KeyValue(torch.zeros(1, 1, 2, 1), torch.zeros(1, 1, 2, 1))
    layers = [lambda x, view: (x + 1, pair)] * 3
    x, none = through(layers, torch.zeros(1, 2, 1), View())
    assert x.max() == 3 and none == []
    assert len(through(layers, torch.zeros(1, 2, 1), View(keep=True))[1]) == 3
