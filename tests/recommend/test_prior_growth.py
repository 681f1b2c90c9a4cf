"""Heads keep what they learned when a log grows; new groups have heads that are the backbone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import INTEREST, Ground
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.errors import BadInput
from tastemaker.recommend.prior_batches import PriorBatches
from tastemaker.recommend.priors import Priors
from tests.contracts import ITEMS, some_contexts
from tests.recommend.small_priors import (
    BACKBONES,
    COMPOSITIONS,
    KINDS,
    TRAIN,
    USERS,
    axes_of,
    built,
    ground,
    grouping,
    grown,
)

MORE = ITEMS + 6
NEWER = (KINDS[2], *KINDS[:2], "gift")


def newer(train: Contexts = TRAIN, kind: str = "") -> Ground:
    """Six more items: four of a group that is new, one of an old one and one of none."""
    items = [f"i{n}" for n in range(MORE)]
    fresh: list[list[str] | None] = [["New"], ["new"], ["NEW", "g1"], ["New"], ["G2"], None]
    old = ground().catalog.frame
    known = {
        "item_id": items,
        "title": [f"thing {n} of {kind}{n % 4}" for n in range(MORE)],
        "categories": [*old["categories"].to_list(), *fresh],
    }
    frame = pl.DataFrame({name: known.get(name, [None] * MORE) for name in SCHEMA}, SCHEMA)
    return Ground.of(pl.Series(items), Catalog(frame), train, NEWER)


def later() -> Contexts:
    """Training events of old and new items, of all kinds."""
    rng = np.random.default_rng(3)
    items = rng.integers(1, MORE + 1, 200).astype(np.int32)
    kinds = rng.integers(0, len(NEWER), 200).astype(np.uint8)
    return Contexts(np.arange(20), np.arange(0, 201, 10), items, events=kinds)


def spoken_alike(net: Priors, more: Priors, users: Contexts) -> None:
    """Old heads give old items what they gave; new groups say nothing before they learn."""
    said, known = more.score(users), net.score(users)
    assert said.shape == (len(users), MORE) and torch.isfinite(said).all()
    torch.testing.assert_close(said[:, :ITEMS], known, rtol=1e-5, atol=1e-5)
    _, speakers = net.spoken(users)
    _, now = more.spoken(users)
    names = [net.head_names[head] for head in speakers.flatten().tolist()]
    assert [more.head_names[head] for head in now[:, :ITEMS].flatten().tolist()] == names


@torch.no_grad()
@pytest.mark.parametrize("composition", COMPOSITIONS)
@pytest.mark.parametrize("merge", ["combine", "average"])
@pytest.mark.parametrize("priors", [("category",), ("category", "event"), ("event",), ()])
def test_old_heads_say_of_old_items_what_they_said(
    priors: tuple[str, ...], merge: str, composition: str
) -> None:
    options = {"composition": composition, "offsets": 2, "segments": 2, "merge": merge}
    net = grown(built(priors, **options)).eval()
    more = net.grown(newer(later()))
    assert set(net.head_names) <= set(more.head_names) and not more.training
    if "category" in priors:
        assert more.intents["category"] == ("g0", "g1", "g2", "g3", "New", OTHER)
        assert more.heads_of("category", 4).any()
    if "event" in priors:
        assert more.intents["event"] == (*KINDS, "gift")
    if merge == "combine" or composition != "additive":
        spoken_alike(net, more, some_contexts())


@torch.no_grad()
def test_shares_of_probabilities_change_with_what_there_is_and_nothing_else() -> None:
    net = grown(built(("category", "event"), merge="calibrated", switch=0.0)).eval()
    more = net.grown(newer(later()))
    said = more.score(some_contexts())
    assert torch.isfinite(said).all()
    states = torch.randn(5, net.backbone.config.dim)
    for prior, axis in enumerate(axes_of(net).listed):
        shares, now = net.heads.gates.shares(prior, states), more.heads.gates.shares(prior, states)
        assert torch.equal(now[:, : axis.size], shares)


def test_it_goes_on_learning_and_is_kept(tmp_path: Path) -> None:
    net = grown(built(("category", "event"), offsets=2, segments=2, merge="calibrated")).eval()
    net.heads.trained[2] = False
    where = newer(later())
    more = net.grown(where).train()
    assert not more.heads.trained[2] and net.heads.trained.sum() == more.heads.trained.sum()
    few = more.batches(replace(later(), items=np.full(200, ITEMS + 1, np.int32)), 4)
    assert isinstance(few, PriorBatches)
    # What has learnt something speaks on, whatever the new events are of.
    assert more.heads.trained.sum() > net.heads.trained.sum()
    for step in more.batches(later(), 4).epoch(0):
        loss = more(step)
        loss.backward()
        assert torch.isfinite(loss)
    more.eval().save(tmp_path)
    again = Priors.open(more.config, where, tmp_path).eval()
    with torch.no_grad():
        assert torch.equal(again.score(some_contexts()), more.score(some_contexts()))


@torch.no_grad()
@pytest.mark.parametrize("backbone", BACKBONES[1:], ids=lambda one: type(one).__name__)
def test_any_backbone_grows_under_its_heads(backbone: object) -> None:
    net = grown(built(("category",), backbone)).eval()  # type: ignore[arg-type]
    spoken_alike(net, net.grown(newer()), some_contexts())


@torch.no_grad()
@pytest.mark.parametrize("prior", ["community", "cluster"])
def test_found_groups_take_in_what_is_like_them(prior: str) -> None:
    groups = {prior: grouping([[n % 4 == group for group in range(4)] for n in range(ITEMS)])}
    net = grown(built((prior,), groupings=groups)).eval()
    more = net.grown(newer(kind="kind"))
    spoken_alike(net, more, some_contexts())
    kept = axes_of(more).listed[0].grouping
    assert kept.names == ("g0", "g1", "g2", "g3")
    placed = kept.membership.toarray()[ITEMS:].argmax(1)
    assert placed.tolist() == [n % 4 for n in range(ITEMS, MORE)]


def test_interests_are_found_by_name_and_found_groups_of_users_are_not() -> None:
    clubs = Grouping.from_labels([f"club {user % 3}" for user in range(USERS)], "users")
    net = grown(built(("interest",), groupings={"interest": clubs})).eval()
    now = Grouping.from_labels([f"club {user % 4}" for user in range(USERS + 9)], "users")
    where = newer()
    more = net.grown(replace(where, groupings={**where.groupings, INTEREST: now}))
    assert more.intents["interest"] == (*clubs.names, "club 3")
    assert torch.isfinite(more.score(some_contexts())).all()
    with pytest.raises(BadInput, match="user"):
        grown(built(("user",))).grown(where)


def test_it_is_refused_where_it_cannot_go_on() -> None:
    with pytest.raises(ValueError, match="fewer"):
        built().grown(ground(ITEMS - 1))
    with pytest.raises(BadInput):
        built().grown(Ground(MORE))
