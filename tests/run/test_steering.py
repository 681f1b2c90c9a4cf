"""Names of a request: categories first, then groups of heads; who may speak and who is favoured."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.steering import Named, NamedHeads, Names, listed
from tests.run.headed import headed
from tests.run.voices import Voices

CATEGORIES = Grouping.from_labels(["Drama", "War", "Short", None], "items")
HEADS = NamedHeads(Voices(torch.zeros(1, 4, 4)), "voices", frozenset({("event", "buy")}))
NAMES = Names(CATEGORIES, HEADS)


@pytest.fixture(scope="module")
def plain(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@pytest.fixture(scope="module")
def saved(plain: SavedRun) -> SavedRun:
    return headed(plain)


def test_a_category_goes_before_a_group_of_heads_of_the_same_name() -> None:
    assert NAMES.find(" dRAMA", "--only") == Named("", CATEGORIES.code("Drama"), "Drama")
    assert NAMES.find("short", "--only").axis == ""
    assert NAMES.find("LONG ", "--only") == Named("horizon", 1, "long")
    assert Names(None, HEADS).find("short", "--only") == Named("horizon", 0, "short")


def test_an_axis_tells_apart_what_is_called_the_same() -> None:
    assert NAMES.find("horizon:short", "--only") == Named("horizon", 0, "short")
    assert NAMES.find(" Event : LIKE ", "--boost") == Named("event", 0, "like")
    for name in ("horizon:like", "horizon:", ":short", "alone:one", "Drama:short"):
        with pytest.raises(BadInput, match="no group"):
            NAMES.find(name, "--only")
    with pytest.raises(BadInput, match="'buy' had no training events"):
        NAMES.find("event:buy", "--only")


@pytest.mark.parametrize(
    ("name", "meant"), [("lnog", "long"), ("dramma", "Drama"), ("lik", "like")]
)
def test_the_nearest_of_all_names_is_offered(name: str, meant: str) -> None:
    with pytest.raises(BadInput, match=f"no group '{name}'") as caught:
        NAMES.find(name, "--boost")
    assert caught.value.where == "--boost"
    assert f"Did you mean {meant!r}?" in caught.value.fix
    assert (
        "Drama" in caught.value.fix and "horizon: short" not in caught.value.fix.split("Heads")[0]
    )


@pytest.mark.parametrize("name", ["event:lke", "Event : lik", "evnt:like"])
def test_the_nearest_is_offered_with_its_axis(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        NAMES.find(name, "--only")
    assert "Did you mean 'event:like'?" in caught.value.fix


def test_a_horizon_of_a_model_that_has_one_alone_is_answered_with_how_to_have_several() -> None:
    class Near(Voices):
        @property
        def intents(self) -> Mapping[str, tuple[str, ...]]:
            return {"event": ("like", "buy"), "horizon": ("next",)}

    near = Names(CATEGORIES, NamedHeads(Near(torch.zeros(1, 4, 4)), "near"))
    with pytest.raises(BadInput) as caught:
        near.find("Short-term", "--only")
    assert "--preset horizons" in caught.value.fix
    with pytest.raises(BadInput) as other:
        near.find("lik", "--only")
    assert "--preset" not in other.value.fix


def test_without_heads_the_message_is_that_of_categories() -> None:
    for name in ("dramma", "short-term", "zzz"):
        with pytest.raises(BadInput) as ours:
            Names(CATEGORIES).find(name, "--only")
        with pytest.raises(BadInput) as theirs:
            CATEGORIES.code(name, "--only")
        assert str(ours.value) == str(theirs.value)


def test_groups_that_nothing_trained_are_refused_and_not_offered() -> None:
    with pytest.raises(BadInput, match="'buy' had no training events") as caught:
        NAMES.find("Buy", "--only")
    assert "like" in caught.value.fix
    with pytest.raises(BadInput) as unknown:
        NAMES.find("zzz", "--only")
    assert "like" in unknown.value.fix and "buy" not in unknown.value.fix


def test_an_axis_of_one_group_cannot_be_asked_for() -> None:
    with pytest.raises(BadInput, match="no group 'one'"):
        NAMES.find("one", "--only")


def test_heads_of_an_axis_are_united_and_axes_meet() -> None:
    short, long = Named("horizon", 0, "short"), Named("horizon", 1, "long")
    like = Named("event", 0, "like")

    def active(*only: Named) -> list[bool]:
        steering = HEADS.steering(only, {})
        assert steering is not None and steering.boosts is None
        return steering.active.tolist()

    assert active(short) == [True, False, True, False]
    assert active(short, long) == [True] * 4
    assert active(short, like) == [True, False, False, False]
    assert HEADS.steering((), {}) is None


def test_boosts_of_a_head_add_up() -> None:
    short, like = Named("horizon", 0, "short"), Named("event", 0, "like")
    steering = HEADS.steering((), {short: 0.5, like: -0.25})
    assert steering is not None and steering.boosts is not None
    assert steering.active.all()
    assert steering.boosts.tolist() == [0.25, -0.25, 0.5, 0.0]


def test_names_are_listed_as_they_were_meant() -> None:
    short, long = Named("horizon", 0, "short"), Named("horizon", 1, "long")
    like = Named("event", 0, "like")
    assert listed([short, long, like, long], " and ") == "short or long and like"


@pytest.mark.parametrize("composition", ["hierarchical", "multiplicative"])
def test_only_what_short_term_heads_say(plain: SavedRun, composition: str) -> None:
    run = headed(plain, composition=composition)
    for user in ("u1", "u7", "u30"):
        answer = run.recommend(user, 8, only=[" Short-Term "])
        assert answer.model == "priors"
        assert "Only what short-term heads say." in answer.reason
        assert all(item.intent.startswith("short-term · ") for item in answer.items)
        scores = [item.score for item in answer.items]
        assert scores == sorted(scores, reverse=True)
        assert scores[0] <= 1.0
        seen = run.interactions.decode(run.context(user).items)
        assert not {item.item for item in answer.items} & set(seen)
        both = run.recommend(user, 8, only=["short-term", "like", "Odd"])
        assert {item.intent for item in both.items} == {"short-term · Odd · like"}
        assert all(item.categories == ("Odd",) for item in both.items)
        either = run.recommend(user, 8, only=["view", "like"])
        assert {item.intent.rsplit(" · ")[-1] for item in either.items} <= {"view", "like"}


def test_favoured_heads_speak_more(saved: SavedRun) -> None:
    for user in ("u1", "u7", "u30"):
        plain = saved.recommend(user, 10, model="priors")
        some = saved.recommend(user, 10, boost={"like": 0.4})
        assert some.model == "priors"
        assert "Favoured heads: like." in some.reason
        all_of_them = saved.recommend(user, 10, boost={"like": 100})
        assert all(item.intent.endswith("· like") for item in all_of_them.items)

        def likes(items: tuple) -> int:  # type: ignore[type-arg]
            return sum(item.intent.endswith("· like") for item in items)

        assert likes(some.items) >= likes(plain.items)
        by_item = {item.item: item for item in plain.items}
        for item in some.items:
            before = by_item.get(item.item)
            if before is not None and before.intent == item.intent:
                add = 0.4 if item.intent.endswith("· like") else 0.0
                assert item.score == pytest.approx(before.score + add, abs=1e-5)


def test_a_boost_of_nothing_and_all_of_an_axis_change_nothing(saved: SavedRun) -> None:
    free = saved.recommend("u5", 10, model="priors")
    assert saved.recommend("u5", 10, boost={"like": 0.0}).items == free.items
    assert saved.recommend("u5", 10, only=["short-term", "long-term"]).items == free.items


def test_a_boost_of_a_category_stays_one_of_items(saved: SavedRun) -> None:
    answer = saved.recommend("u5", 5, model="ease", boost={"Even": 2})
    assert answer.model == "ease"
    assert all("Even" in item.categories for item in answer.items)


def test_both_boosts_add(saved: SavedRun) -> None:
    answer = saved.recommend("u5", 20, boost={"Odd": 3.0, "like": 0.5})
    scores = [item.score for item in answer.items]
    assert scores == sorted(scores, reverse=True)
    assert answer.items[0].categories == ("Odd",)
    assert "Favoured groups: Odd." in answer.reason and "Favoured heads: like." in answer.reason


def test_a_model_without_heads_cannot_be_steered_by_them(saved: SavedRun) -> None:
    for model in ("ease", "blend"):
        for wish in ({"only": ["short-term"]}, {"boost": {"like": 1.0}}):
            with pytest.raises(BadInput, match="priors") as caught:
                saved.recommend("u1", 3, model=model, **wish)  # type: ignore[arg-type]
            assert caught.value.where == "--model"
            with pytest.raises(BadInput, match="priors"):
                saved.recommend_all(["u1"], 3, model=model, **wish)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="'gpt'"):
        saved.recommend("u1", 3, model="gpt", only=["short-term"])
    assert saved.recommend("u1", 3, model="priors", only=["short-term"]).items


def test_what_cannot_be_asked_of_heads(saved: SavedRun, plain: SavedRun) -> None:
    for wish in ({"only": ["shrt-term"]}, {"boost": {"shrt-term": 1.0}}):
        with pytest.raises(BadInput, match="Did you mean 'short-term'"):
            saved.recommend("u1", 3, **wish)  # type: ignore[arg-type]
        with pytest.raises(
            BadInput, match="no group 'shrt-term'. .* Groups here: All, Even, Odd.$"
        ):
            plain.recommend("u1", 3, **wish)  # type: ignore[arg-type]
    with pytest.raises(BadInput, match="'dislike' had no training events"):
        saved.recommend("u1", 3, only=["dislike"])
    with pytest.raises(BadInput, match="boosted twice"):
        saved.recommend("u1", 3, boost={"like": 1, "Like": 2})


def test_axes_with_heads_of_their_own_are_asked_one_at_a_time(plain: SavedRun) -> None:
    run = headed(plain, composition="additive")
    assert {item.intent for item in run.recommend("u1", 5, only=["like"]).items} == {"like"}
    with pytest.raises(BadInput, match="short-term and like at once"):
        run.recommend("u1", 5, only=["short-term", "like"])


def test_nobody_known_is_shown_what_is_popular_and_told_so(saved: SavedRun) -> None:
    answer = saved.recommend("nobody", 4, only=["short-term"], boost={"like": 1.0})
    assert answer.model == "popularity"
    assert "short-term, like could not be asked" in answer.reason
    assert answer.items == saved.recommend("nobody", 4).items
    assert {item.intent for item in answer.items} == {""}


def test_heads_that_know_nothing_that_is_left_leave_an_empty_answer(saved: SavedRun) -> None:
    odd = [item for item in saved.interactions.item_ids if int(item[1:]) % 2]
    answer = saved.recommend("u1", 3, only=["short-term", "Even"], allow=odd)
    assert answer.items == () and not answer.complete
    assert "short-term heads" in answer.reason


def test_what_results_say_of_heads_is_read_where_they_do(saved: SavedRun, plain: SavedRun) -> None:
    assert NamedHeads.of(plain.models, {}) is None
    heads = NamedHeads.of(saved.models, {})
    assert heads is not None and not heads.untrained
    assert heads.called == "priors"
    assert heads.intent(-1) == "" and heads.intent(0) == heads.names[0]
    assert np.isin(["short-term", "long-term"], heads.trained["horizon"]).all()
