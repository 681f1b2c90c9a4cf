"""A model of more items says what it said of those it knows, or does not go on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.errors import BadInput
from tastemaker.recommend import mtmh_content
from tastemaker.recommend.mtmh import MTMH
from tests.contracts import ITEMS, some_contexts
from tests.recommend.test_mtmh import SMALL, catalog, ground, model

MORE = ITEMS + 6


def train(num_items: int = ITEMS, seed: int = 1) -> Contexts:
    rng = np.random.default_rng(seed)
    items = rng.integers(1, num_items + 1, 300).astype(np.int32)
    return Contexts(np.arange(30), np.arange(0, 301, 10), items)


class Fixed:
    """An encoder that was learnt elsewhere: a text has one vector in every catalogue."""

    dim, identity = 8, "ab" * 32

    def __call__(self, texts: list[str]) -> np.ndarray:
        seeds = [sum(map(ord, text)) for text in texts]
        rows = [np.random.default_rng(seed).normal(size=8) for seed in seeds]
        return np.array(rows, np.float32)


@torch.no_grad()
def moved(net: MTMH) -> MTMH:
    torch.manual_seed(3)
    for parameter in net.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    net.network.ids.weight[0] = 0
    net._kept = None
    return net.eval()


def reordered(seen: list[int], of: int, num_items: int) -> Ground:
    """The same catalogue of `of` items, where some that the log never saw have been seen."""
    rows = [*range(ITEMS), *seen]
    return Ground.of(pl.Series([f"i{n}" for n in rows]), catalog(of), train(num_items))


@pytest.mark.parametrize("opened", [False, True])
@pytest.mark.parametrize(
    "set_to", [{"encoder": "fixed"}, {"encoder": "none", "symmetric": True}], ids=str
)
def test_items_of_the_catalogue_that_were_never_seen_join(
    set_to: dict[str, object], opened: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mtmh_content, "_opened", lambda name, texts: Fixed())
    net = moved(model(extra=12, train=train(), **set_to))
    if opened:
        net.save(tmp_path)
        net = MTMH.open(net.config, ground(ITEMS, 12), tmp_path).eval()
    where = reordered([ITEMS + 7, ITEMS + 2, ITEMS + 9], ITEMS + 12, ITEMS + 3)
    more = net.grown(where)
    ids = net.network.ids.weight
    assert torch.equal(more.network.ids.weight[: ITEMS + 1], ids) and not more.training
    contexts = some_contexts()
    with torch.no_grad():
        said, known = more.score(contexts), net.score(contexts)
    assert said.shape == (len(contexts), ITEMS + 3) and torch.isfinite(said).all()
    torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-3, atol=1e-3)
    loss = more.train()(next(iter(more.batches(train(ITEMS + 3), 3).epoch(0))))
    loss.backward()
    assert torch.isfinite(loss)
    folder = tmp_path / "grown"
    folder.mkdir()
    more.eval().save(folder)
    again = MTMH.open(more.config, where, folder).eval()
    with torch.no_grad():
        assert torch.equal(again.score(contexts), more.score(contexts))


def worded(num_items: int) -> Catalog:
    """Items whose titles are of words that are more and less frequent, as in a language."""
    rng = np.random.default_rng(0)
    share = 1 / np.arange(1, 81)
    words = [rng.choice(80, 5, p=share / share.sum()) for _ in range(num_items)]
    titles = pl.Series([" ".join(f"word{n}" for n in own) for own in words])
    plain = catalog(num_items)
    return replace(plain, frame=plain.frame.with_columns(title=titles))


def test_words_of_the_same_texts_are_the_same_whatever_was_seen(tmp_path: Path) -> None:
    every = worded(ITEMS + 12)
    ids = [f"i{n}" for n in range(ITEMS)]
    torch.manual_seed(0)
    net = moved(MTMH.build(SMALL, Ground.of(pl.Series(ids), every, train())))
    net.save(tmp_path)
    bare = Ground.of(pl.Series(ids), every)
    opened = MTMH.open(net.config, bare, tmp_path).eval()
    # Of the five that are new, two are of the catalogue; of the others nothing is known.
    now = [*ids, f"i{ITEMS + 7}", "x", f"i{ITEMS + 2}", "y", "z"]
    more = opened.grown(Ground.of(pl.Series(now), every, train(ITEMS + 5)))
    with torch.no_grad():
        said, known = more.score(some_contexts()), net.score(some_contexts())
    assert torch.isfinite(said).all() and said.shape[1] == ITEMS + 5
    torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-3, atol=1e-3)


def test_items_that_the_catalogue_did_not_have_join_where_nothing_is_read_of_them() -> None:
    torch.manual_seed(0)
    net = moved(MTMH.build(SMALL, Ground(ITEMS, train=train())))
    more = net.grown(Ground(MORE, train=train(MORE)))
    with torch.no_grad():
        said = more.score(some_contexts())
        assert torch.isfinite(said).all() and said.shape[1] == MORE
        torch.testing.assert_close(said[:, :ITEMS], net.score(some_contexts()))


def test_other_words_or_categories_are_refused() -> None:
    net = moved(model(train=train()))
    with pytest.raises(BadInput, match="item"):  # words of new items change the axes
        net.grown(ground(MORE, train=train(MORE)))
    other = catalog(ITEMS)
    frame = other.frame
    kinds = [["a0"] if n % 3 == 0 else [f"k{n % 3}"] for n in range(ITEMS)]
    moved_on = replace(other, frame=frame.with_columns(categories=pl.Series(kinds[::-1])))
    bare = moved(model(train=train(), encoder="none"))
    ids = pl.Series([f"i{n}" for n in range(ITEMS)])
    with pytest.raises(BadInput, match="something else"):
        bare.grown(Ground.of(ids, moved_on, train()))
    kinds = [[f"k{n % 3}"] for n in range(ITEMS)]
    more = Ground.of(ids, replace(other, frame=frame.with_columns(categories=pl.Series(kinds))))
    assert bare.grown(more).network.groups is not None
    kinds[0] = ["a0", "k0"]  # the first of all, by which all others have other numbers
    wider = replace(other, frame=frame.with_columns(categories=pl.Series(kinds)))
    with pytest.raises(BadInput, match="something else"):
        bare.grown(Ground.of(ids, wider, train()))
    fewer = replace(other, frame=frame.with_columns(categories=pl.Series([["k0"]] * ITEMS)))
    with pytest.raises(BadInput, match="categories"):
        bare.grown(Ground.of(ids, fewer, train()))


def test_it_does_not_shrink() -> None:
    with pytest.raises(ValueError, match="fewer"):
        model(train=train()).grown(ground(ITEMS - 1))
