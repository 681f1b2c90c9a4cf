"""A language model as the judge: one call a step, what fails alone, repeats, and categories."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tastemaker.data.replies import Conversation, Reply
from tastemaker.data.signals import Event, UserSignals, signals
from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted
from tastemaker.understand.asked import Judge, Understands
from tastemaker.understand.attempts import Attempts
from tastemaker.understand.category_map import CategoryMap
from tastemaker.understand.extract import ExtractOptions, LanguageModel
from tastemaker.understand.interests import Interest
from tastemaker.understand.language_judge import (
    JudgeOptions,
    LanguageJudge,
    agreement,
    refuse_self_judging,
)
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import SMALL, ask, models
from tastemaker.understand.specificity import SpecificityOptions, draw_line_up, draw_pool
from tastemaker.understand.task import Task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users
from tests.understand.scripted_judge import Counting, said, see

WORLD = plant_users(PlantedOptions(users=3, length=100))
SIGNALS = signals(WORLD.interactions(), WORLD.declared)
TEXTS = {item: f"{item} {SMALL.names[topic - 1]}" for item, topic in WORLD.topics.items()}
TASK = Task("planted", SIGNALS, TEXTS, "videos", SMALL)
USERS = list(SIGNALS.users())
SIZES = SpecificityOptions(pool=60, size=12, backing=3)
OPTIONS = JudgeOptions(line_ups=SIZES)
INTERESTS = [ask(models(WORLD)["oracle"], user).interests for user in USERS]
PLAIN = PlantedJudge(WORLD)


def truth(conversation: Conversation, repeat: int = 0) -> str:
    """What the planted judge says, by the topics that the texts name."""
    seen = see(conversation)
    if seen.purpose == "categories":
        names = [line.split(": ") for line in seen.blocks["interests"]]
        return "\n".join(f"{number}. {name.upper()}" for number, name in names)
    if seen.purpose == "unrelated":
        own = [line[2:] for line in seen.blocks["interests"]]
        return said(seen.numbers(lambda text: text.split(" ", 1)[1] in own))
    return said(seen.numbers(lambda text: text.split(" ", 1)[1] == seen.name))


def judge_that(says: Any, options: JudgeOptions = OPTIONS, task: Task = TASK) -> LanguageJudge:
    return LanguageJudge(Scripted(says), "j", task, options)


def except_for(purpose: str, reply: str | Reply) -> Any:
    """The truth, but for one kind of question."""

    def says(conversation: Conversation, repeat: int) -> str | Reply:
        return reply if see(conversation).purpose == purpose else truth(conversation)

    return says


def test_a_judge_who_knows_says_what_was_planted_in_three_calls() -> None:
    script = Counting(truth)
    judge: Judge = LanguageJudge(script, "j", TASK, OPTIONS)
    found = judge.judge(USERS, INTERESTS)
    assert script.calls == 3
    pool = draw_pool(SIGNALS.log.item_ids.to_list(), SIZES)
    for user, own, verdict in zip(USERS, INTERESTS, found, strict=True):
        rest = PLAIN.unrelated(user, pool)
        for number, one in enumerate(own):
            assert verdict.relevant[number] == tuple(PLAIN.relevant(one, user))
            assert verdict.line_ups[number] == draw_line_up(user, one, rest, SIZES)
            assert set(verdict.picks[number] or ()) == verdict.line_ups[number].backing
        assert verdict.unfiltered == 0 and verdict.votes == ()
    assert sum(len(one.calls) for one in found) == len(script.asked)
    assert judge.judge([], []) == []


def test_a_user_without_interests_or_evidence_is_not_asked_about() -> None:
    script = Scripted([])
    judge = LanguageJudge(script, "j", TASK, OPTIONS)
    none, nowhere = judge.judge(USERS[:2], [[], [Interest("Tea", ("nowhere",))]])
    assert (none.relevant, none.picks, none.line_ups) == ((), (), ())
    assert (nowhere.relevant, nowhere.picks) == (((),), ((),))
    assert nowhere.line_ups[0].k == 0
    assert not script.asked


def test_a_pool_that_nobody_filters_stays_as_it_was_and_is_counted() -> None:
    judge = judge_that(except_for("unrelated", "All of them, I suppose."))
    found = judge.judge(USERS, INTERESTS)
    assert [one.unfiltered for one in found] == [1, 1, 1]
    pool = draw_pool(SIGNALS.log.item_ids.to_list(), SIZES)
    for user, own, verdict in zip(USERS, INTERESTS, found, strict=True):
        assert verdict.line_ups[0] == draw_line_up(user, own[0], pool, SIZES)
        (call,) = (call for call in verdict.calls if call.purpose == "unrelated")
        assert len(call.replies) == 3


@pytest.mark.parametrize(
    ("reply", "tries"),
    [("もちろんです。", 3), ("", 3), ("[" * 1_000_000, 3), (Reply(error="x"), 1)],
)
def test_what_cannot_be_read_fails_alone(reply: str | Reply, tries: int) -> None:
    first = INTERESTS[0][0].name

    def says(conversation: Conversation, repeat: int) -> str | Reply:
        seen = see(conversation)
        mine = seen.purpose in ("relevant", "pick") and seen.name == first
        return reply if mine else truth(conversation)

    found = judge_that(says).judge(USERS[:1], INTERESTS[:1])[0]
    assert found.relevant[0] is None and found.picks[0] is None
    assert all(one is not None for one in (*found.relevant[1:], *found.picks[1:]))
    assert sorted({len(call.replies) for call in found.calls}) == sorted({1, tries})


def test_the_reference_shows_an_item_as_often_as_it_was_met_and_strict_once() -> None:
    events = tuple(Event(item, "implicit_positive") for item in ("i1", "i2", "i1", "i3"))
    user = UserSignals("u", events, SIGNALS.kinds)
    shown = {}
    for mode in ("strict", "reference"):
        script = Scripted(lambda conversation, repeat: "0, 2")
        options = replace(OPTIONS, attempts=Attempts(mode=mode))
        judge = LanguageJudge(script, "j", TASK, options)
        (found,) = judge.judge([user], [[Interest("Food", ("i3", "i1", "i1", "gone"))]])
        shown[mode] = [text.split()[0] for text in see(script.asked[0].conversation).texts]
        assert found.relevant == {"strict": (("i3",),), "reference": (("i1", "i3"),)}[mode]
    assert shown == {"strict": ["i3", "i1"], "reference": ["i1", "i1", "i3"]}


def test_texts_of_the_pool_are_cut() -> None:
    script = Scripted(truth)
    long = replace(TASK, texts={item: f"{text} {'x' * 5_000}" for item, text in TEXTS.items()})
    LanguageJudge(script, "j", long, replace(OPTIONS, text=300)).judge(USERS[:1], INTERESTS[:1])
    lengths: dict[str, set[int]] = {}
    for asked in script.asked:
        seen = see(asked.conversation)
        lengths.setdefault(seen.purpose, set()).update(map(len, seen.texts))
    assert lengths == {"relevant": {300}, "unrelated": {200}, "pick": {300}}


def test_many_items_are_asked_about_in_parts() -> None:
    whole = judge_that(truth).judge(USERS, INTERESTS)
    parts = judge_that(truth, replace(OPTIONS, shown=3)).judge(USERS, INTERESTS)
    for one, other in zip(whole, parts, strict=True):
        assert (one.relevant, one.picks, one.line_ups) == (
            other.relevant, other.picks, other.line_ups,
        )  # fmt: skip
        assert len(other.calls) > len(one.calls)


def test_of_repeats_most_decide_and_how_they_agree_is_known() -> None:
    def says(conversation: Conversation, repeat: int) -> str:
        return "NONE" if repeat == 2 else truth(conversation)

    options = replace(OPTIONS, attempts=Attempts(repeats=3))
    found = judge_that(says, options).judge(USERS, INTERESTS)
    plain = judge_that(truth).judge(USERS, INTERESTS)
    assert [one.relevant for one in found] == [one.relevant for one in plain]
    assert {vote for one in found for vote in one.votes} == {(1, 2)}
    assert agreement(found) == pytest.approx(-0.5)  # P = 1/3, Σ p² = 5/9
    assert agreement(plain) is None
    assert sum(len(one.calls) for one in found) == 3 * sum(len(one.calls) for one in plain)


def test_names_are_mapped_once_three_at_a_time(tmp_path: Path) -> None:
    names = ["Tea", "Chess", "tea ", "Knitting", "Old Films", "Nothing Such"]
    script, path = Counting(truth), tmp_path / "categories.jsonl"
    judge = LanguageJudge(script, "j", TASK, OPTIONS, CategoryMap(path))
    want = [SMALL.number(name) for name in names]
    assert judge.categories(names)[:5] == want[:5]
    assert len(see(script.asked[0].conversation).blocks["interests"]) == 3
    again = LanguageJudge(Scripted([]), "k", TASK, OPTIONS, CategoryMap(path))
    assert again.categories(names[:4]) == want[:4], "nothing is asked"
    assert sum(len(call.replies) for call in judge.category_calls) == len(script.asked)
    assert script.calls <= 3, "all names at once, and what cannot be read again"


def test_other_is_an_answer_and_what_cannot_be_read_is_asked_again_later() -> None:
    known: dict[str, int] = {}
    script = Scripted(["1: OTHER\n2: Tea\n3: chess"] + ["No idea."] * 3 + ["1: Tea"])
    judge = LanguageJudge(script, "j", TASK, OPTIONS, known)
    assert judge.categories(["a", "b", "c", "d"]) == [0, SMALL.number("Tea"), 11, 0]
    assert len(known) == 3
    assert judge.categories(["a", "d"]) == [0, SMALL.number("Tea")]
    assert [len(call.replies) for call in judge.category_calls] == [1, 3, 1]


def test_a_failed_reply_maps_nothing_for_good() -> None:
    judge = judge_that([Reply(error="down"), "1: Tea"])
    assert judge.categories(["a"]) == [0]
    assert judge.categories(["a"]) == [SMALL.number("Tea")]


def test_repeats_map_a_name_by_majority() -> None:
    options = replace(OPTIONS, attempts=Attempts(repeats=3))
    replies = ["1: Tea\n2: Tea", "1: Chess\n2: Tea", "1: Tea\n2: OTHER"]
    assert judge_that(replies, options).categories(["a", "b"]) == [19, 19]
    split = ["1: Tea\n2: Tea", "1: Chess\n2: Tea", "1: Knitting\n2: OTHER"]
    assert judge_that(split, options).categories(["a", "b"]) == [0, 19]


def test_without_a_taxonomy_there_are_no_categories() -> None:
    with pytest.raises(BadInput):
        judge_that([], task=replace(TASK, taxonomy=None)).categories(["a"])


def test_what_decides_a_verdict_changes_who_the_judge_is() -> None:
    options: Sequence[JudgeOptions] = (
        OPTIONS,
        replace(OPTIONS, text=5),
        replace(OPTIONS, attempts=Attempts(repeats=3)),
        JudgeOptions(),
    )
    assert len({judge_that([], one).identity for one in options}) == 4
    assert judge_that([]).identity == judge_that([]).identity
    assert LanguageJudge(Scripted([], "other"), "j", TASK).identity != judge_that([]).identity


def test_a_model_does_not_judge_itself_unless_that_is_allowed() -> None:
    options = ExtractOptions(counts=False)
    same: Understands = LanguageModel(Scripted([]), "m", TEXTS, options)
    shaped = LanguageModel.constrained(Scripted([]), "m", TEXTS, SIGNALS.kinds)
    other = LanguageModel(Scripted([], "other"), "m", TEXTS)
    for model in (same, shaped):
        with pytest.raises(BadInput):
            refuse_self_judging(model, judge_that([]))
        refuse_self_judging(model, judge_that([]), allowed=True)
    refuse_self_judging(other, judge_that([]))


@pytest.mark.parametrize("wrong", [{"text": 0}, {"shown": 0}])
def test_showing_nothing_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        JudgeOptions(**wrong)  # type: ignore[arg-type]
