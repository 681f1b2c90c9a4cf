"""Scores → lists: the model's own ranking, scores that never rise, boosts that add."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Contexts
from tastemaker.errors import NumericFault
from tastemaker.metrics.ranking import top_k
from tastemaker.run.lists import Choice, Lists, best_items
from tastemaker.seams import Steering
from tests.run.voices import Voices

ITEMS = 40


@dataclass
class Fixed:
    """A model with the scores it is given."""

    scores: Tensor

    def score(self, contexts: Contexts) -> Tensor:
        return self.scores.clone()


def choice(k: int = 5, items: int = ITEMS) -> Choice:
    return Choice(torch.ones(items, dtype=torch.bool), None, None, 0, k)


def none(rows: int) -> Contexts:
    return Contexts(np.arange(rows), np.zeros(rows + 1, np.int64), np.empty(0, np.int32))


def lists(scores: Tensor, chosen: Choice, *barred: Contexts) -> Lists:
    empty = none(len(scores))
    return best_items(Fixed(scores), empty, [empty, *barred], chosen)


def reference(scores: Tensor, chosen: Choice) -> list[list[int]]:
    """(sum of place and boost, own score, lower code), by plain sorting in double precision."""
    made = []
    for row in scores.double():
        span = float(row.max() - row.min())
        at = [(float(s) - float(row.min())) / span if span else 1.0 for s in row]
        boosts = chosen.boosts if chosen.boosts is not None else torch.zeros(len(row))
        wished = chosen.wished if chosen.wished is not None else torch.ones(len(row))
        codes = [c for c in range(1, len(row) + 1) if wished[c - 1]]
        codes.sort(key=lambda c: (-(at[c - 1] + float(boosts[c - 1])), -float(row[c - 1]), c))
        made.append(codes[chosen.first : chosen.first + chosen.k])
    return made


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("boosted", [False, True])
def test_lists_are_those_of_plain_sorting(seed: int, boosted: bool) -> None:
    drawn = torch.Generator().manual_seed(seed)
    scores = torch.randint(-5, 5, (7, ITEMS), generator=drawn) / (3.0 if seed % 2 else 1e-6)
    asked = replace(choice(6), first=seed % 4)
    if boosted:
        groups = torch.randint(0, 2, (ITEMS,), generator=drawn)
        asked = replace(asked, boosts=groups.double() * 0.3)
    if seed % 3 == 0:
        asked = replace(asked, wished=torch.arange(ITEMS) % 5 != 0)
    found = lists(scores, asked)
    assert found.items.tolist() == reference(scores, asked)
    assert (np.diff(found.scores, axis=1) <= 0).all()


def test_neighbours_in_single_precision_stay_apart() -> None:
    """Scores one step apart at a large height were swapped when places were taken in single."""
    top = torch.tensor(1000.0)
    scores = torch.linspace(-1000, 0, ITEMS)
    for code in (30, 10, 20):
        scores[code] = top
        top = torch.nextafter(top, torch.tensor(0.0))
    for boosts in (None, torch.zeros(ITEMS, dtype=torch.float64)):
        found = lists(scores[None], replace(choice(3), boosts=boosts))
        assert found.items[0].tolist() == [31, 11, 21] == top_k(scores[None], 3)[0].tolist()
        assert found.scores[0][0] == 1.0


def test_places_are_those_among_all_that_may_be_recommended() -> None:
    scores = torch.arange(float(ITEMS))[None]
    wished = torch.zeros(ITEMS, dtype=torch.bool)
    wished[:20] = True
    plain, some = lists(scores, choice(ITEMS)), lists(scores, replace(choice(3), wished=wished))
    place = dict(zip(plain.items[0], plain.scores[0], strict=True))
    assert (place[ITEMS], place[1]) == (1.0, 0.0)
    assert some.scores[0].tolist() == [place[code] for code in some.items[0]]


def test_equal_scores_are_all_the_best_in_order_of_codes() -> None:
    found = lists(torch.full((1, ITEMS), 7.0), choice(3))
    assert found.items[0].tolist() == [1, 2, 3]
    assert found.scores[0].tolist() == [1.0] * 3


@pytest.mark.parametrize("boosted", [False, True])
def test_ties_of_a_large_catalogue_go_to_the_lower_code(boosted: bool) -> None:
    drawn = torch.Generator().manual_seed(0)
    scores = torch.randint(0, 4, (3, 3_000), generator=drawn).float()
    boosts = torch.randint(0, 2, (3_000,), generator=drawn).double() / 3 if boosted else None
    asked = replace(choice(400, 3_000), boosts=boosts)
    assert lists(scores, asked).items.tolist() == reference(scores, asked)


def test_barred_items_are_left_out_of_their_row_alone() -> None:
    barred = Contexts(np.arange(2), np.array([0, 2, 2]), np.array([40, 39], np.int32))
    scores = torch.arange(float(ITEMS)).repeat(2, 1)
    found = lists(scores, choice(2), barred)
    assert found.items.tolist() == [[38, 37], [40, 39]]
    assert found.scores[:, 0].tolist() == [1.0, 1.0]


def test_fewer_than_asked_for_are_all_there_are() -> None:
    wished = torch.zeros(ITEMS, dtype=torch.bool)
    wished[[3, 5]] = True
    for boosts in (None, torch.ones(ITEMS, dtype=torch.float64)):
        asked = replace(choice(4), wished=wished, boosts=boosts)
        found = lists(torch.arange(float(ITEMS))[None], asked)
        assert found.items[0].tolist() == [6, 4, 0, 0]
        nothing = replace(asked, wished=torch.zeros(ITEMS, dtype=torch.bool))
        assert not lists(torch.ones(1, ITEMS), nothing).items.any()
    assert lists(torch.ones(1, ITEMS), replace(choice(10**30), first=10**30)).items.shape == (1, 0)


@pytest.mark.parametrize("value", [torch.nan, torch.inf])
def test_scores_that_are_no_numbers_never_leave(value: float) -> None:
    scores = torch.ones(1, ITEMS)
    scores[0, 3] = value
    with pytest.raises(NumericFault):
        lists(scores, choice())


def voices(seed: int, rows: int = 5) -> Voices:
    drawn = torch.Generator().manual_seed(seed)
    given = torch.randn(rows, 4, ITEMS, generator=drawn)
    return Voices(given.masked_fill(torch.rand(rows, 4, ITEMS, generator=drawn) < 0.2, -torch.inf))


@pytest.mark.parametrize("seed", range(6))
def test_the_head_that_speaks_for_each_item_is_named(seed: int) -> None:
    model = voices(seed)
    empty = none(5)
    found = best_items(model, empty, [empty], choice(), model)
    plain = best_items(model, empty, [empty], choice())
    assert plain.heads is None
    assert found.items.tolist() == plain.items.tolist()
    assert found.scores.tolist() == plain.scores.tolist()
    assert found.heads is not None
    for row in range(5):
        for item, head in zip(found.items[row], found.heads[row], strict=True):
            assert head == int(model.given[row, :, item - 1].argmax())
    other = best_items(Fixed(model.given[:, 0]), empty, [empty], choice(), model)
    assert other.items.tolist() == lists(model.given[:, 0], choice()).items.tolist()
    assert other.heads is not None and other.heads.shape == other.items.shape


@pytest.mark.parametrize("seed", range(8))
def test_steered_scores_stand_on_the_unsteered_scale(seed: int) -> None:
    """By plain sorting: the best active head of each item, its boost in shares of the range."""
    model, rows = voices(seed), 5
    active = torch.tensor([True, False, True, True]) if seed % 2 else torch.ones(4).bool()
    boosts = torch.tensor([0.5, 0.0, -0.25, 0.0]) if seed % 3 else None
    barred = Contexts(np.arange(rows), np.arange(rows + 1) * 2, np.array([1, 2] * rows, np.int32))
    asked = replace(choice(7), first=seed % 2, steering=Steering(active, boosts))
    if seed > 3:
        asked = replace(asked, boosts=torch.arange(ITEMS).double() % 2 * 0.3)
    found = best_items(model, none(rows), [barred], asked, model)
    assert found.heads is not None
    for row in range(rows):
        whole = model.given[row].amax(0).double()
        may = whole > -torch.inf
        may[:2] = False
        low, span = float(whole[may].min()), float(whole[may].max() - whole[may].min())
        add = torch.zeros(4) if boosts is None else boosts * span
        steered = (model.given[row] + add[:, None])[active].amax(0)
        at = {
            code: (float(steered[code - 1]) - low) / span
            + (0.0 if asked.boosts is None else float(asked.boosts[code - 1]))
            for code in range(3, ITEMS + 1)
            if steered[code - 1] > -torch.inf
        }
        want = sorted(at, key=lambda code: (-at[code], code))[asked.first : asked.first + 7]
        assert found.items[row].tolist() == want
        np.testing.assert_allclose(found.scores[row], [at[code] for code in want], atol=1e-5)
        assert (np.diff(found.scores[row]) <= 0).all()
        assert active[found.heads[row]].all()


def test_nobody_speaks_where_no_item_is_left() -> None:
    model = voices(0)
    model.given[:, 1] = -torch.inf
    steering = Steering(torch.tensor([False, True, False, False]), torch.ones(4))
    found = best_items(model, none(5), [none(5)], replace(choice(), steering=steering), model)
    assert not found.items.any()
    assert found.heads is not None and (found.heads == -1).all()
    everything = [Contexts.gather(np.arange(5), np.zeros(5, np.int64), np.full(5, ITEMS),
                                  {"items": np.arange(1, ITEMS + 1, dtype=np.int32)})]  # fmt: skip
    assert not best_items(
        model, none(5), everything, replace(choice(), steering=steering), model
    ).items.any()
