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
