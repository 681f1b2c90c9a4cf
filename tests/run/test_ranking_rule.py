"""Answers against a rule written out plainly, on a model whose scores are small whole numbers.

Sums of whole numbers do not depend on a batch, so answers must be equal to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.histories import Asker, asker_given, asker_of
from tastemaker.run.ranking import Request
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes

few = settings(max_examples=25, deadline=None)
NAMES = [f"i{n}" for n in range(40)]
UNKNOWN = ["nowhere", "no-item"]


@dataclass(frozen=True, eq=False)
class Whole:
    """A model of whole numbers: each event says −2 to 2 of each item, a repeated one again."""

    said: Tensor
    """(I + 1, I)"""

    def score(self, contexts: Contexts) -> Tensor:
        rows = [contexts.slice(n, n + 1).items.astype(np.int64) for n in range(len(contexts))]
        return torch.stack([self.said[torch.from_numpy(row)].sum(0) for row in rows])


@pytest.fixture(scope="module")
def run(finished_run: Path) -> SavedRun:
    saved = open_run(finished_run)
    size = saved.interactions.num_items
    said = torch.from_numpy(np.random.default_rng(0).integers(-2, 3, (size + 1, size))).float()
    models = replace(saved.models, counting={**saved.models.counting, "whole": Whole(said)})
    return replace(saved, models=models)


def ids(answer: Answer) -> list[str]:
    return [item.item for item in answer.items]


def groups_of(item: str) -> list[str]:
    return ["Even", "All"] if int(item[1:]) % 2 == 0 else ["Odd"]


def expected(run: SavedRun, asker: Asker, wishes: Wishes) -> list[tuple[str, float]]:
    """Items and scores by the rule: place between lowest and highest, plus boosts."""
    log = run.interactions
    known = Whole.score(run.models.counting["whole"], asker.context)[0].tolist()  # type: ignore[arg-type]
    barred = set(asker.refused.tolist()) | set(asker.context.items.tolist())
    may = [code for code in range(1, log.num_items + 1)
           if run.shelf.candidates[code - 1] and code not in barred]  # fmt: skip
    if not may:
        return []
    low, high = (pick(known[code - 1] for code in may) for pick in (min, max))
    rows = []
    for code in may:
        item = log.item_ids[code - 1]
        groups = groups_of(item)
        if item in {*wishes.deny, *wishes.hidden}:
            continue
        if wishes.allow is not None and item not in wishes.allow:
            continue
        if wishes.only and not set(groups) & set(wishes.only):
            continue
        own = known[code - 1]
        place = (own - low) / (high - low) if high > low else 1.0
        boost = sum(weight for group, weight in wishes.boost.items() if group in groups)
        rows.append((-(place + boost), -own, code, item))
    rows.sort()
    listed = rows[wishes.offset : wishes.offset + wishes.k]
    return [(item, round(-total, 6)) for total, _, _, item in listed]


items = st.lists(st.sampled_from(NAMES), max_size=12)
plain_wishes = st.builds(
    Wishes,
    k=st.integers(1, 60),
    offset=st.sampled_from([0, 0, 1, 7, 50]),
    boost=st.dictionaries(
        st.sampled_from(["Even", "All", "Odd"]), st.sampled_from([-1.0, -0.25, 0.0, 0.5, 2.0])
    ),
    only=st.lists(st.sampled_from(["Even", "All", "Odd"]), max_size=2),
    allow=st.none() | st.lists(st.sampled_from(NAMES), max_size=30),
    deny=items,
    hidden=st.lists(st.sampled_from(NAMES + UNKNOWN), max_size=12),
)
histories = st.lists(st.sampled_from(NAMES + UNKNOWN), max_size=15)


@few
@given(histories, plain_wishes, st.lists(st.sampled_from(NAMES + UNKNOWN), max_size=8))
def test_an_answer_is_what_the_rule_gives(
    run: SavedRun, history: list[str], wishes: Wishes, barred: list[str]
) -> None:
    asker = asker_given(run, ["i0", *history], barred, "")
    answer = run.rank(asker, wishes, "whole")
    want = expected(run, asker, wishes)
    assert ids(answer) == [item for item, _ in want]
    assert [item.score for item in answer.items] == pytest.approx([s for _, s in want], abs=2e-6)
    assert answer.complete == (len(want) == wishes.k)
    assert answer.history[0].item == [item for item in ["i0", *history] if item in NAMES][-1]
    assert all(list(item.categories) == groups_of(item.item) for item in answer.items)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_many_mixed_requests_are_answered_as_each_alone(run: SavedRun, data: st.DataObject) -> None:
    users = [*run.interactions.user_ids.to_list()[:6], "nobody"]
    extra = st.fixed_dictionaries(
        {"diversify": st.sampled_from([0.0, 0.0, 0.25, 1.0]), "because": st.booleans()}
    )
    requests = []
    for _ in range(data.draw(st.integers(0, 7))):
        wishes = data.draw(plain_wishes)
        if wishes.k + wishes.offset > 1:
            wishes = replace(wishes, **data.draw(extra))
        if data.draw(st.booleans()):
            asker = asker_of(run, data.draw(st.sampled_from(users)))
        else:
            asker = asker_given(run, data.draw(histories), data.draw(items), "")
        model = data.draw(st.sampled_from(["whole", "popularity"]))
        requests.append(Request(asker, wishes, model))
    together = run.rank_many(requests)
    assert together == [run.rank(one.asker, one.wishes, one.model) for one in requests]
    again = run.rank_many(requests[::-1])
    assert again[::-1] == together


@settings(max_examples=8, deadline=None)
@given(histories, plain_wishes, st.integers(2, 9))
def test_pages_of_any_size_make_the_whole_list(
    run: SavedRun, history: list[str], wishes: Wishes, size: int
) -> None:
    apart = replace(wishes, diversify=0.5, k=max(2, wishes.k), offset=0)
    for whole in (replace(wishes, offset=0, k=40), replace(apart, k=40)):
        every = ids(run.rank(history, whole, "whole"))
        assert len(every) == len(set(every))
        pages: list[str] = []
        for first in range(0, 40, size):
            pages += ids(run.rank(history, replace(whole, offset=first, k=size), "whole"))
        assert pages[: len(every)] == every and len(pages) == len(every)


Ask = Callable[[SavedRun], Answer]
NOTHING: dict[str, Ask] = {
    "all are barred": lambda run: run.rank(["i1"], barred=NAMES),
    "all were chosen": lambda run: run.rank(NAMES),
    "all were chosen twice": lambda run: run.rank(NAMES * 2, Wishes(3, diversify=0.5)),
    "all are hidden": lambda run: run.rank(["i1"], Wishes(hidden=NAMES)),
    "all are denied": lambda run: run.rank(["i1"], Wishes(deny=NAMES, boost={"Odd": 1})),
    "none is allowed": lambda run: run.rank(["i1"], Wishes(allow=[])),
    "a page behind the last": lambda run: run.rank(["i1"], Wishes(5, 40)),
    "a page far behind it": lambda run: run.rank(["i1"], Wishes(10**9, 10**9, diversify=0.5)),
    "of nothing, all barred": lambda run: run.rank([], barred=NAMES),
    "of nothing, all hidden": lambda run: run.rank([], Wishes(hidden=NAMES, diversify=1)),
    "reasons of nothing": lambda run: run.rank(["i1"], Wishes(hidden=NAMES, because=True)),
    "popular, all hidden": lambda run: run.browse.popular(Wishes(hidden=NAMES)),
    "popular, behind the last": lambda run: run.browse.popular(Wishes(3, 99)),
    "new, all denied": lambda run: run.browse.latest(Wishes(deny=NAMES)),
    "new, behind the last": lambda run: run.browse.latest(Wishes(3, 99)),
}


@pytest.mark.parametrize("case", NOTHING)
def test_where_nothing_may_be_listed_the_list_is_empty(run: SavedRun, case: str) -> None:
    answer = NOTHING[case](run)
    assert (answer.items, answer.complete) == ((), False)
    assert answer.reason


def test_a_request_with_an_empty_list_leaves_those_beside_it_alone(run: SavedRun) -> None:
    nothing = Request(asker_given(run, NAMES, NAMES, ""), Wishes(4), "whole")
    some = Request(asker_given(run, ["i3"], (), ""), Wishes(4), "whole")
    first, empty, last = run.rank_many([some, nothing, some])
    assert first == last == run.rank(["i3"], Wishes(4), "whole")
    assert empty.items == () and len(first.items) == 4


def test_more_items_than_there_are_gives_all_of_them_once(run: SavedRun) -> None:
    count = int(run.shelf.candidates.sum())
    for wishes in (Wishes(10**9), Wishes(10**9, diversify=1.0), Wishes(10**9, boost={"Odd": 1})):
        every = ids(run.rank(["nowhere"], wishes))
        assert sorted(every) == sorted(set(every)) and len(every) == count
        assert len(ids(run.rank(["i3", "i3", "i9"], wishes, "whole"))) == count - 2


def test_one_item_that_is_left_has_the_highest_score(run: SavedRun) -> None:
    others = [item for item in NAMES if item != "i7"]
    for answer in (
        run.rank(["i1"], Wishes(3), "whole", barred=others),
        run.rank(others, Wishes(3), "whole"),
    ):
        assert [(item.item, item.score) for item in answer.items] == [("i7", 1.0)]
    wished = run.rank(["i1"], Wishes(3, allow=["i7"]), "whole")
    free = {item.item: item.score for item in run.rank(["i1"], Wishes(99), "whole").items}
    assert [(item.item, item.score) for item in wished.items] == [("i7", free["i7"])]


def test_what_is_refused_where_it_is_listed_is_passed_over_where_it_is_hidden(
    run: SavedRun,
) -> None:
    plain = run.rank(["i1"], Wishes(5), "whole")
    assert run.rank(["i1"], Wishes(5, hidden=UNKNOWN), "whole").items == plain.items
    assert run.rank(["i1"], Wishes(5), "whole", barred=UNKNOWN).items == plain.items
    for wish in (Wishes(5, deny=UNKNOWN), Wishes(5, allow=UNKNOWN)):
        with pytest.raises(BadInput, match="no-item"):
            run.rank(["i1"], wish, "whole")


def test_an_item_twice_in_a_wish_is_there_once(run: SavedRun) -> None:
    once, twice = ["i3", "i9"], ["i3", "i9", "i3"]
    for name in ("allow", "deny", "hidden"):
        one, two = (
            run.rank(["i1"], Wishes(5, **{name: some}), "whole") for some in (once, twice)  # type: ignore[arg-type]
        )  # fmt: skip
        assert one == two
    assert run.rank(["i1"], Wishes(5, only=["Odd", "odd"]), "whole") == run.rank(
        ["i1"], Wishes(5, only=["Odd"]), "whole"
    )
