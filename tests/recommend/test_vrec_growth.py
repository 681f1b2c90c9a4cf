"""Codes, titles and groups of a log that has grown: what was learned goes on as it was."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.ground import Ground
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput
from tastemaker.recommend import vrec_growth
from tastemaker.recommend.residual_codes import residual_codes
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_code_language import CodeLanguage
from tastemaker.recommend.vrec_growth import grown_codes
from tests.contracts import ITEMS, some_contexts
from tests.recommend import small_titles
from tests.recommend.small_vrec import SMALL, cycles, ground, model

MORE = ITEMS + 6


def sound(ids: SemanticIds, path: Path) -> bool:
    """As a run that is opened checks it: no sequence twice, none the beginning of another."""
    ids.save(path / "ids.arrow")
    again = SemanticIds.open(path / "ids.arrow", ids.num_items)
    return np.array_equal(again.codes, ids.codes) and again.sizes == ids.sizes


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(1, 3), st.integers(1, 4), st.data())
def test_old_codes_stay_and_all_are_apart(
    known: int, more: int, levels: int, size: int, data: st.DataObject
) -> None:
    places = st.lists(st.integers(-3, 3), min_size=2, max_size=2)
    rows = data.draw(st.lists(places, min_size=known + more, max_size=known + more))
    vectors = np.array(rows, np.float32)
    ids = residual_codes(vectors[:known], levels, size)
    made = grown_codes(ids, vectors, levels)
    wide = len(ids.sizes)
    assert np.array_equal(made.codes[:known, :wide], ids.codes)
    assert (made.codes[:known, wide:] == -1).all() and made.num_items == known + more
    assert all(now >= was for now, was in zip(made.sizes, ids.sizes, strict=False))
    assert (made.codes < made.sizes).all()
    tokens = [tuple(code for code in row if code >= 0) for row in made.tokens().tolist()]
    assert len(set(tokens)) == len(tokens)
    assert not any(a != b and b[: len(a)] == a for a in tokens for b in tokens)
    again = grown_codes(made, vectors, levels)
    assert np.array_equal(again.codes, made.codes)


def test_a_new_item_has_the_codes_of_what_it_is_like(tmp_path: Path) -> None:
    vectors = np.array([[1, 0], [0.9, 0], [0, 1], [0, 0.8], [1, 0.01], [0, 0.7]], np.float32)
    ids = residual_codes(vectors[:4], 1, 2)
    assert ids.codes.tolist() == [[ids.codes[0, 0], 0], [ids.codes[0, 0], 1],
                                  [ids.codes[2, 0], 0], [ids.codes[2, 0], 1]]  # fmt: skip
    made = grown_codes(ids, vectors, 1)
    assert made.codes[4:].tolist() == [[ids.codes[0, 0], 2], [ids.codes[2, 0], 2]]
    assert sound(made, tmp_path)


def test_a_sequence_that_an_item_has_alone_stays_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vrec_growth, "_CHUNK", 2)
    vectors = np.array([[0, 1], [1, 0], [0.9, 0.1], [0.1, 0.9], [1, 0]], np.float32)
    ids = SemanticIds.of([[0], [1]])  # all alone: whatever is new needs a code of its own
    made = grown_codes(ids, vectors, 1)
    assert made.codes.tolist() == [[0, -1], [1, -1], [2, 0], [2, 1], [2, 2]]
    assert made.sizes == (3, 3) and sound(made, tmp_path)


def grew(net: VRec, where: Ground) -> VRec:
    """The grown one: what was learned is there to the bit."""
    more = net.grown(where)
    assert more.num_items == where.num_items and more.training == net.training
    old, new = net.reasoner.state_dict(), more.reasoner.state_dict()
    assert all(torch.equal(new[name], old[name]) for name in old)
    for label, was in zip(more._said, net._said, strict=True):
        width = was.groups.shape[1]
        assert torch.equal(label.groups[: ITEMS + 1, :width], was.groups)
    return more


@torch.no_grad()
def moved(net: VRec) -> VRec:
    torch.manual_seed(5)
    for parameter in net.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    if isinstance(net.language, CodeLanguage):
        net.language.items.weight[0] = 0
    return net


@torch.no_grad()
@pytest.mark.parametrize("codes", ["words", "events"])
@pytest.mark.parametrize("verifiers", [("auto",), ("category", "random"), ("none",)])
def test_it_thinks_of_known_histories_what_it_thought(
    codes: str, verifiers: tuple[str, ...]
) -> None:
    net = moved(model(codes=codes, verifiers=verifiers)).eval()
    where = ground(some_contexts(40), MORE)
    more = grew(net, where)
    contexts = some_contexts()
    said = more.score(contexts)
    assert said.shape == (len(contexts), MORE) and torch.isfinite(said).all()
    batch, again = (one._read(contexts, 0) for one in (net, more))
    old, new = net.reason(batch), more.reason(again)
    torch.testing.assert_close(new.prompt.state, old.prompt.state, rtol=1e-5, atol=1e-6)
    # A code that is new takes its share; what known codes are worth beside each other stays.
    same = more.language.ids.sizes[: len(net.language.ids.sizes)] == net.language.ids.sizes
    assert isinstance(net.language, CodeLanguage) and isinstance(more.language, CodeLanguage)
    if same:
        known = net.score(contexts)
        torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-4, atol=1e-4)
    begun, wide = net.language.table.weight, more.language.table.weight
    assert torch.equal(wide[: net.language.ids.sizes[0]], begun[: net.language.ids.sizes[0]])


def test_it_goes_on_learning_and_is_kept(tmp_path: Path) -> None:
    net = moved(model()).eval()
    net.save(tmp_path)
    opened = VRec.open(net.config, Ground(ITEMS), tmp_path).eval()
    where = ground(cycles(), MORE)
    more = grew(opened, where).train()
    more.enter(more.stages()[-1])
    loss = more(next(iter(more.batches(cycles(), 2).epoch(0))))
    loss.backward()
    assert torch.isfinite(loss)
    folder = tmp_path / "grown"
    folder.mkdir()
    more.eval().save(folder)
    again = VRec.open(more.config, where, folder).eval()
    with torch.no_grad():
        assert torch.equal(again.score(some_contexts()), more.score(some_contexts()))


@torch.no_grad()
@pytest.mark.parametrize("lora", [0, 2])
def test_new_titles_are_said_by_what_was_learned(talker: Path, lora: int) -> None:
    net = moved(small_titles.model(talker, lora=lora)).eval()
    titles = [*small_titles.TITLES, "new", "newer", "twins"]
    more = grew(net, small_titles.ground(titles=titles))
    said = more.score(some_contexts())
    assert torch.isfinite(said).all()
    assert torch.equal(more.language.tokens[: ITEMS + 1], net.language.tokens)
    known = net.score(some_contexts())
    torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-4, atol=1e-4)


def test_it_is_refused_where_codes_or_groups_cannot_be_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fewer"):
        model().grown(ground(num_items=ITEMS - 1))
    path = tmp_path / "given.json"
    path.write_text(json.dumps({f"i{n}": [n % 5, n // 5] for n in range(MORE)}))
    with pytest.raises(BadInput, match="file gives"):
        model(codes=str(path)).grown(ground(num_items=MORE))
    net = VRec.build(replace(SMALL, verifiers=("category",)), ground())
    with pytest.raises(BadInput, match="category"):
        net.grown(Ground(MORE, train=some_contexts()))
