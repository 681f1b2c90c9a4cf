"""Choices: items by number, in parts, by majority."""

import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tastemaker.data.replies import Conversation, Reply
from tastemaker.models.generate import Scripted
from tastemaker.understand.attempts import Attempts
from tastemaker.understand.choices import Choice, choose
from tastemaker.understand.interests import Mode
from tests.understand.scripted_judge import said


def shown(items: Sequence[str]) -> Conversation:
    return [{"role": "user", "content": " ".join(items)}]


def choice(*items: str) -> Choice:
    return Choice("relevant", items, shown, "Numbers.")


def test_numbers_name_items_in_the_order_named() -> None:
    model = Scripted(["2, 0", "NONE"])
    first, nothing, none = choose(model, [choice("a", "b", "c"), choice(), choice("d")], Attempts())
    assert (first.items, first.unread) == (("c", "a"), 0)
    assert (nothing.items, nothing.calls) == ((), []), "nothing is shown, nothing is asked"
    assert (none.items, none.unread, len(none.calls)) == ((), 0, 1)


def test_many_items_are_asked_about_in_parts_that_fail_alone() -> None:
    model = Scripted(["1", "keine Ahnung", "0", "weiß nicht", "?"])
    (found,) = choose(model, [choice(*"abcde")], Attempts(), most=2)
    assert found.items == ("b", "e")
    assert found.unread == 1
    assert len(model.asked) == sum(len(call.replies) for call in found.calls) == 5


def test_a_part_too_long_for_the_model_is_halved_unless_it_has_to_be_whole() -> None:
    def says(conversation: Conversation, repeat: int) -> str | Reply:
        many = len(conversation[0]["content"].split())
        return Reply(error="long", too_long=True) if many > 2 else said(range(many))

    model = Scripted(says)
    cut, whole = choose(
        model, [choice(*"abcdefg"), replace(choice(*"hij"), whole=True)], Attempts(), most=6
    )
    assert (set(cut.items), cut.unread) == (set("abcdefg"), 0)
    assert (whole.items, whole.unread) == ((), 1)
    assert len(cut.calls) + len(whole.calls) == len(model.asked)


def test_an_item_shown_twice_is_named_once() -> None:
    (found,) = choose(Scripted(["0, 1, 2"]), [choice("a", "b", "a")], Attempts())
    assert found.items == ("a", "b")


@pytest.mark.parametrize(("mode", "want"), [("strict", ()), ("reference", ("a", "b"))])
def test_a_cut_list_is_no_list_but_in_the_reference(mode: Mode, want: tuple[str, ...]) -> None:
    model = Scripted([Reply("0, 1", finished=False)] * 3)
    (found,) = choose(model, [choice("a", "b", "c")], Attempts(mode=mode))
    assert found.items == want
    assert found.unread == (mode == "strict")


def test_most_replies_decide_and_their_votes_are_told() -> None:
    model = Scripted(["0, 1", "1", "2, 1, 0", "NONE", "?", "1"] + ["?"] * 2)
    first, second = choose(model, [choice("a", "b", "c"), choice("d", "e")], Attempts(repeats=3))
    assert first.items == ("b", "a")
    assert first.votes == [(1, 2), (0, 3), (2, 1)]
    assert second.items == (), "one of the two that could be read is not most"
    assert second.votes == [], "agreement counts where all could be read"


@pytest.mark.parametrize(
    "reply",
    [
        "0, " * 2_000_000,
        "9" * 4_000_000,
        "\n" * 4_000_000,
        "NONE\x00" * 500_000,
        "<think>" * 500_000,
    ],
    ids=["list", "digits", "lines", "controls", "thinking"],
)
def test_a_huge_reply_takes_no_time(reply: str) -> None:
    model, begun = Scripted([Reply(reply)] * 3), time.process_time()
    (found,) = choose(model, [choice("a", "b")], Attempts())
    assert set(found.items) <= {"a"}
    assert time.process_time() - begun < 2
