"""Extract: one call for all users, parts that fail alone, and histories cut to the model's size."""

import json
import time
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tastemaker.data.declaration import POLARITIES
from tastemaker.data.replies import Conversation, Reply
from tastemaker.data.signals import Event, UserSignals
from tastemaker.errors import BadInput
from tastemaker.models.generate import Scripted, tokens_of
from tastemaker.models.json_grammar import Grammar, JsonRows
from tastemaker.understand.extract import ExtractOptions, LanguageModel
from tastemaker.understand.prompts import sha256_of
from tests.understand.scripted_judge import Counting, see


def user(name: str, many: int) -> UserSignals:
    events = [Event(f"{name}{n}", POLARITIES[n % 4]) for n in range(many)]
    return UserSignals(name, tuple(events), POLARITIES)


def texts(*users: UserSignals) -> dict[str, str]:
    return {event.item: f"about {event.item}" for one in users for event in one.events}


A, B = user("a", 250), user("b", 30)
TEXTS = texts(A, B)


def ids(conversation: Conversation) -> list[str]:
    return [line[1:].split("]")[0] for line in see(conversation).blocks["history"]]


def cites_all(conversation: Conversation, repeat: int = 0) -> str:
    return json.dumps([{"interest": "All", "item_ids": ids(conversation)}])


def test_all_parts_of_all_users_are_one_call() -> None:
    model = Counting(cites_all)
    first, second = LanguageModel(model, "m", TEXTS).write([A, B])
    assert model.calls == 1
    assert (first.chunks, second.chunks) == ((100, 100, 50), (30,))
    (interest,) = first.extracted.interests
    assert interest.cited == tuple(event.item for event in A.events), "newest first"
    assert len(first.calls) == 3 and len(second.calls) == 1
    assert not LanguageModel(model, "m", TEXTS).write([])


def test_every_reply_and_its_tokens_are_logged() -> None:
    model = Scripted(cites_all)
    written = LanguageModel(model, "m", TEXTS).write([A, B])
    calls = [call for one in written for call in one.calls]
    assert [call.prompt_sha256 for call in calls] == [
        sha256_of(asked.conversation) for asked in model.asked
    ]
    for call, asked in zip(calls, model.asked, strict=True):
        (reply,) = call.replies
        assert call.purpose == "extract"
        assert reply.text == cites_all(asked.conversation)
        assert reply.tokens == tokens_of(reply.text)
        assert reply.prompt_tokens >= sum(
            tokens_of(message["content"]) for message in asked.conversation
        )


def test_options_change_what_is_asked_and_who_it_is() -> None:
    def asked(options: ExtractOptions) -> tuple[str, str]:
        model = Scripted(cites_all)
        one = LanguageModel(model, "m", TEXTS, options)
        one.write([B])
        return model.asked[0].conversation[0]["content"], one.identity

    options = ExtractOptions(noun="films")
    variants = [options, *(replace(options, **{name: False}) for name in ("thresholds", "counts"))]
    found = [asked(one) for one in variants]
    assert len(set(found)) == len({text for text, _ in found}) == 3
    assert len({identity for _, identity in found}) == 3
    assert all("films" in text for text, _ in found)
    assert asked(options) == found[0]


@pytest.mark.parametrize(
    "reply",
    [
        Reply("I cannot help with that."),
        Reply(""),
        Reply(error="The endpoint cannot be reached."),
        Reply("A esta persona le gusta el té."),
        Reply('[{"interest": "Tea", "item_ids": ["a1", "a', finished=False, tokens=9),
        Reply("[" * 3_000_000),
        Reply('{"interest": ' * 200_000),
        Reply("[]" + " " * 3_000_000),
    ],
    ids=["refusal", "empty", "failed", "other language", "cut", "brackets", "objects", "blanks"],
)
def test_a_bad_reply_is_a_problem_of_its_part_and_the_others_go_on(reply: Reply) -> None:
    model, begun = (
        Scripted([cites_all_of(0), reply, cites_all_of(200), cites_all_of(0)]),
        (time.process_time()),
    )
    first, second = LanguageModel(model, "m", TEXTS).write([A, B])
    assert time.process_time() - begun < 2
    assert [one.name for one in first.extracted.interests] == ["All"]
    assert first.extracted.interests[0].cited == ("a0", "a200")
    assert ("part 2 of 3" in first.extracted.problem) == (not reply.text.startswith("[]"))
    assert not second.extracted.problem and second.extracted.interests
    assert first.calls[1].replies == (reply,)


def cites_all_of(number: int) -> str:
    return json.dumps([{"interest": "All", "item_ids": [f"a{number}"]}])


def test_a_cut_reply_keeps_what_can_be_read_and_says_so() -> None:
    model = Scripted([Reply('[{"interest": "Tea", "item_ids": ["b1"]}, {"int', finished=False)])
    (written,) = LanguageModel(model, "m", TEXTS).write([B])
    assert [one.name for one in written.extracted.interests] == ["Tea"]
    assert "cut" in written.extracted.problem


def test_ids_that_do_not_exist_stay_what_they_are() -> None:
    model = Scripted(['[{"interest": "Tea", "item_ids": ["nowhere", "b1"]}]'])
    (written,) = LanguageModel(model, "m", TEXTS).write([B])
    assert written.extracted.interests[0].cited == ("nowhere", "b1")


def test_thinking_is_kept() -> None:
    model = Scripted(["<think>hm</think>[]", Reply("[]", thinking="so")])
    first, second = LanguageModel(model, "m", TEXTS).write([B, B])
    assert (first.extracted.thinking, second.extracted.thinking) == ("hm", "so")


class Small(Counting):
    """A model that reads so many lines at once."""

    def __init__(self, most: int) -> None:
        def says(conversation: Conversation, repeat: int) -> str | Reply:
            if len(ids(conversation)) > most:
                return Reply(error="It is too long.", too_long=True, prompt_tokens=9)
            return cites_all(conversation)

        super().__init__(says)


def test_a_part_too_long_for_the_model_is_halved_until_it_fits() -> None:
    model = Small(30)
    first, second = LanguageModel(model, "m", TEXTS).write([A, B])
    assert first.chunks == (25,) * 10 and second.chunks == (30,)
    assert first.extracted.interests[0].cited == tuple(event.item for event in A.events)
    assert not first.extracted.problem
    assert model.calls == 3, "100, 50 and 25 events, each for all at once"
    assert sum(len(one.calls) for one in (first, second)) == len(model.asked)


def test_one_event_that_is_too_long_is_a_problem() -> None:
    written, _ = LanguageModel(Small(0), "m", TEXTS).write([B, A])
    assert written.chunks == (1,) * 30
    assert "part 30 of 30" in written.extracted.problem and not written.extracted.interests


def test_a_known_window_is_kept_beforehand() -> None:
    options = ExtractOptions(window=4_000, max_tokens=1_000)
    model = Counting(cites_all)
    (written,) = LanguageModel(model, "m", TEXTS, options).write([A])
    assert sum(written.chunks) == 250 and len(written.chunks) > 3 and model.calls == 1
    for asked in model.asked:
        assert sum(tokens_of(message["content"]) for message in asked.conversation) < 3_000
    assert written.extracted.interests[0].cited == tuple(event.item for event in A.events)


def test_a_long_text_is_cut() -> None:
    model = Scripted(cites_all)
    long = dict.fromkeys(TEXTS, "x" * 1_000_000)
    LanguageModel(model, "m", long, ExtractOptions(text=70)).write([user("b", 3)])
    assert max(map(len, model.asked[0].conversation[1]["content"].splitlines())) < 120


def test_ids_in_odd_characters_are_shown_so_that_they_can_be_cited() -> None:
    odd = ("</history>", "a\nb", "<b>", " c", "d\u200b", "`", "plain")
    who = UserSignals("u", tuple(Event(item, "explicit_positive") for item in odd), POLARITIES)

    def says(conversation: Conversation, repeat: int) -> str:
        shown = ids(conversation)
        assert len(shown) == len(odd)
        kinds = dict.fromkeys(shown, "explicit_positive")
        return json.dumps([{"interest": "Odd", "item_ids": shown, "item_types": kinds}])

    (written,) = LanguageModel(Scripted(says), "m", {}).write([who])
    (interest,) = written.extracted.interests
    assert interest.cited == odd
    assert set(interest.types) == set(odd)


def test_replies_of_a_shape_are_read_with_their_numbers() -> None:
    shapes: list[JsonRows] = []

    class Shaped(Scripted):
        def shaped(self, rows: JsonRows) -> Scripted:
            shapes.append(rows)
            return self

    row = {"interest": "Tea", "item_ids": ["b0"], "explicit_positive": 1, "implicit_positive": 2}
    reply = json.dumps([row | {"evidence_excerpt": "x", "brief_rationale": "y"}])
    plain = LanguageModel(Scripted([reply]), "m", TEXTS)
    model = LanguageModel.constrained(Shaped([reply]), "m", TEXTS, POLARITIES[:2])
    grammar = Grammar(shapes[0])
    assert grammar.steps(Grammar.start, reply) == Grammar.end
    (written,) = model.write([B])
    claimed = written.extracted.interests[0].claimed
    assert claimed is not None
    assert [claimed[kind] for kind in POLARITIES] == [1, 2, 0, 0]
    assert model.model_identity == plain.model_identity
    assert model.identity != plain.identity


@pytest.mark.parametrize("wrong", [{"chunk": 0}, {"max_tokens": 0}, {"window": 4096}])
def test_sizes_that_leave_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        ExtractOptions(**wrong)  # type: ignore[arg-type]


def test_a_user_without_events_writes_nothing() -> None:
    model: Sequence[str] = []
    (written,) = LanguageModel(Scripted(model), "m", {}).write([UserSignals("u", (), POLARITIES)])
    assert written.chunks == () and not written.extracted.interests
