from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.tools import TOOLS
from tastemaker.reinforce.vtool_rollout import (
    Conversation,
    Rollout,
    RolloutOptions,
    by_outcome,
    rollouts,
    scored,
)
from tests.reinforce.bench import BOXES, GOOD, PICTURE

KNOWN = {"kind": "table", "source": "here", "boxes": box_fields(BOXES), "names": ["40", "41"]}
QUESTION = PictureQuestion("How many?", (PICTURE,), "12", KNOWN)
EDITED = TOOLS["focus_on_columns_with_mask"](PICTURE, ["Team"], BOXES["columns"])


def action(code: str) -> str:
    return f"THOUGHT 0: look\nACTION 0:\n```python\n{code}\n```"


def says(*texts: str) -> Callable[[Sequence[Conversation]], list[str]]:
    """A model that says these things, one a turn; and again nothing."""
    seen: list[Sequence[Conversation]] = []

    def speak(talks: Sequence[Conversation]) -> list[str]:
        seen.append(talks)
        return [texts[len(seen) - 1]] * len(talks)

    return speak


def one(*texts: str, **options: bool) -> Rollout:
    with GrammarSandbox() as sandbox:
        (rollout,) = rollouts(says(*texts), [QUESTION], sandbox, RolloutOptions(**options))
    return rollout


FINAL = "ANSWER: it is.\nFINAL ANSWER: 12. TERMINATE"


def test_a_direct_answer_is_one_turn() -> None:
    rollout = one(f"ACTION 0: No action needed.\n{FINAL}")
    assert (rollout.outcome, rollout.answer, len(rollout.messages)) == ("direct", "12", 2)
    assert rollout.messages[0].images == (PICTURE,) and rollout.ran is None
    assert scored(rollout, QUESTION).right


def test_the_edited_image_is_shown_beside_the_first_and_answered_by() -> None:
    rollout = one(action(GOOD), FINAL)
    assert (rollout.outcome, rollout.answer) == ("used", "12")
    roles = [message.role for message in rollout.messages]
    assert roles == ["user", "assistant", "user", "assistant"]
    assert rollout.messages[0].images == (PICTURE,)
    (shown,) = rollout.messages[2].images
    assert np.array_equal(shown, EDITED)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (GOOD.replace("Team", "Taem"), "unchanged. There is no 'Taem'; did you mean 'Team'?"),
        ("display(image_1)", "unchanged.\n"),
    ],
)
def test_an_image_that_no_edit_changed_is_told_as_such(code: str, told: str) -> None:
    rollout = one(action(code), FINAL)
    assert (rollout.outcome, rollout.answer) == ("unchanged", "12")
    (shown,) = rollout.messages[2].images
    assert np.array_equal(shown, PICTURE)
    assert f"OBSERVATION 0: The image is {told}" in rollout.messages[2].text


def test_the_edited_image_can_stand_in_place_of_the_first() -> None:
    rollout = one(action(GOOD), FINAL, replaces=True)
    (shown,) = rollout.messages[0].images
    assert np.array_equal(shown, EDITED) and rollout.messages[2].images == ()


def test_an_action_that_fails_is_told_and_one_answer_follows() -> None:
    rollout = one(action("x = open('/etc/passwd')"), FINAL)
    assert (rollout.outcome, rollout.answer, len(rollout.messages)) == ("failed", "12", 4)
    told = rollout.messages[2]
    assert "failed" in told.text and "/etc" not in told.text and told.images == ()
    assert rollout.ran is not None and rollout.ran.error in told.text


def test_an_action_that_displays_nothing_has_failed() -> None:
    assert one(action(GOOD.splitlines()[0]), FINAL).outcome == "failed"


def test_of_two_blocks_the_first_is_run_and_of_two_turns_the_first() -> None:
    rollout = one(action(GOOD) + "\n" + action("nothing()"), action("nothing()") + FINAL)
    assert rollout.outcome == "used" and rollout.answer == "12"
    assert len(rollout.messages) == 4 and [turn.code for turn in rollout.turns] == [GOOD, None]


def test_an_answer_without_the_mark_is_wrong() -> None:
    rollout = one("It is 12.")
    assert rollout.answer is None and not scored(rollout, QUESTION).right


def test_the_answer_of_the_last_turn_counts() -> None:
    assert one(action(GOOD) + FINAL, "FINAL ANSWER: 99. TERMINATE").answer == "99"
    assert one(action(GOOD) + FINAL, "no more").answer is None


def test_without_tools_or_boxes_nothing_runs() -> None:
    rollout = one(action(GOOD) + FINAL, tools=False)
    assert rollout.outcome == "direct" and "focus_on" not in rollout.messages[0].text
    bare = PictureQuestion("How many?", (PICTURE,), "12", {"kind": "chart"})
    with GrammarSandbox() as sandbox:
        (rollout,) = rollouts(says(action(GOOD) + FINAL), [bare], sandbox)
    assert rollout.outcome == "direct" and "focus_on" not in rollout.messages[0].text


def test_names_of_the_picture_are_no_numbers() -> None:
    named = PictureQuestion("Which?", (PICTURE,), "40", KNOWN)
    with GrammarSandbox() as sandbox:
        (rollout,) = rollouts(says("FINAL ANSWER: 41. TERMINATE"), [named], sandbox)
    assert not scored(rollout, named).right
    assert scored(rollout, named, "relaxed_pix2struct").right


def test_a_batch_takes_two_calls_and_second_turns_go_to_those_who_acted() -> None:
    calls: list[int] = []

    def speak(talks: Sequence[Conversation]) -> list[str]:
        calls.append(len(talks))
        if len(calls) == 1:
            return [FINAL if n % 2 else action(GOOD) for n in range(len(talks))]
        return [f"FINAL ANSWER: {n}. TERMINATE" for n in range(len(talks))]

    with GrammarSandbox() as sandbox:
        made = rollouts(speak, [QUESTION] * 5, sandbox)
    assert calls == [5, 3]
    assert [one.answer for one in made] == ["0", "12", "1", "12", "2"]
    with GrammarSandbox() as sandbox:
        assert rollouts(speak, [], sandbox) == []


def test_accuracy_is_parted_by_what_became_of_the_tool() -> None:
    made = [one(FINAL), one("no"), one(action(GOOD), FINAL), one(action("no()"), "no")]
    parts = by_outcome(made, [scored(rollout, QUESTION) for rollout in made])
    assert parts == {"direct": (2, 0.5), "used": (1, 1.0), "failed": (1, 0.0)}


def test_a_model_that_answers_too_few_is_refused() -> None:
    with GrammarSandbox() as sandbox, pytest.raises(BadInput, match="0 of 1"):
        rollouts(lambda talks: [], [QUESTION], sandbox)


def test_original_checkpoints_may_use_tools_of_tables_on_charts() -> None:
    chart = PictureQuestion("?", (PICTURE,), "12",
                            {"boxes": {"x_values": box_fields(BOXES)["columns"]}})  # fmt: skip
    code = GOOD.replace("columns_bbox", "x_values_bbox")
    for as_tables, outcome in ((True, "used"), (False, "failed")):
        with GrammarSandbox() as sandbox:
            (rollout,) = rollouts(
                says(action(code), FINAL), [chart], sandbox, RolloutOptions(as_tables=as_tables)
            )
        assert rollout.outcome == outcome
