import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.boxes import Box
from tastemaker.reinforce.sandbox import Ran
from tastemaker.reinforce.vtool_prompts import (
    Turn,
    final_answer,
    native_prompt,
    observed,
    parsed,
    tool_call,
    tool_prompt,
)
from tests.reinforce.bench import BOXES, PICTURE


def test_a_prompt_tells_tools_and_names_but_no_coordinate() -> None:
    prompt = tool_prompt("Who won in 1990?", BOXES)
    assert "Who won in 1990?" in prompt and "image_1" in prompt
    for axis, some in BOXES.items():
        for effect in ("mask", "draw", "highlight"):
            assert f"focus_on_{axis}_with_{effect}(" in prompt
        assert all(repr(name) in prompt for name in some)
    assert "x_values" not in prompt and "x1" not in prompt
    assert "FINAL ANSWER:" in prompt and "display(" in prompt


def test_a_call_by_the_models_template_is_an_action() -> None:
    code = "image_2 = f(image_1, ['a\"b'])\ndisplay(image_2)"
    assert parsed(tool_call(code)).code == code
    assert parsed(f"I look.\n{tool_call(code)}\n{tool_call('other')}").code == code
    assert parsed(tool_call(code).removesuffix("</tool_call>")).code == code, "cut off"
    assert parsed(f"```python\nmine\n```\n{tool_call(code)}").code == "mine"


@pytest.mark.parametrize(
    "said",
    [
        "", "{", "[]", '{"name": "other", "arguments": {"code": "x"}}',
        '{"name": "run_visual_code"}',
        '{"name": "run_visual_code", "arguments": []}', "[" * 100_000,
        '{"name": "run_visual_code", "arguments": {"code": 7}}',
    ],
)  # fmt: skip
def test_what_is_no_call_is_no_action(said: str) -> None:
    assert parsed(f"<tool_call>\n{said}\n</tool_call>").code is None


def test_only_tools_that_apply_are_told() -> None:
    prompt = tool_prompt("?", {"x_values": {"a": Box(0, 0, 9, 9)}, "rows": {}})
    assert "focus_on_x_values_with_mask" in prompt and "rows" not in prompt
    assert "focus_on" not in tool_prompt("?", {}) and "FINAL ANSWER:" in tool_prompt("?", {})


def test_the_example_of_a_prompt_is_an_action_and_an_answer() -> None:
    turn = parsed(tool_prompt("?", BOXES).partition("Example with an action:")[2])
    assert turn.code is not None and "display(image_2)" in turn.code
    assert turn.answer == "12"


def test_a_model_with_tools_of_its_own_is_told_less() -> None:
    prompt = native_prompt("Who won?", BOXES)
    assert "Who won?" in prompt and "focus_on_rows_with_mask" in prompt and "'1990'" in prompt
    assert "THOUGHT" not in prompt and "x_values" not in prompt and "FINAL ANSWER:" in prompt
    assert "focus" not in native_prompt("Who won?", {}).lower()


def test_names_cannot_break_out_of_a_prompt_and_are_not_without_end() -> None:
    boxes = {"columns": {f"a\n```\x1b {n}": Box(0, 0, 9, 9) for n in range(200)}}
    prompt = tool_prompt("?\n\nRules:\x1b[31m", boxes)
    assert "\x1b" not in prompt and "\nRules:\x1b" not in prompt
    assert "and 136 more" in prompt


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("FINAL ANSWER: 12. TERMINATE", "12"),
        ("FINAL ANSWER: 12 TERMINATE", "12"),
        ("FINAL ANSWER: 1. 5. TERMINATE", "1. 5"),
        ("FINAL ANSWER: 3.14. TERMINATE and more.", "3.14"),
        ("FINAL ANSWER: a||b. TERMINATE", "a||b"),
        ("FINAL ANSWER:\n 12\n. TERMINATE", "12"),
        ("FINAL ANSWER: 1. TERMINATE\nFINAL ANSWER: 2. TERMINATE", "2"),
        ("FINAL ANSWER: 12.5\nTHOUGHT 1: and so on", "12.5"),
        ("FINAL ANSWER:\n12", "12"),
        ("FINAL ANSWER: U.S. TERMINATE", "U.S"),
        ("FINAL ANSWER: . TERMINATE", None),
        ("FINAL ANSWER: TERMINATE", None),
        ("The answer is 12. TERMINATE", None),
        ("", None),
    ],
)
def test_final_answers(text: str, answer: str | None) -> None:
    assert final_answer(text.replace("FINAL ANSWER:", "**FINAL ANSWER:**")) == answer
    assert final_answer(text) == answer


BLOCK = "```python\ndisplay(image_1)\n```"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f"ACTION 0:\n{BLOCK}", "display(image_1)"),
        (f"{BLOCK}\n```python\nsecond()\n```", "display(image_1)"),
        ("```\ndisplay(image_1)\n```", "display(image_1)"),
        ("``` py \r\ndisplay(image_1)\r\n```", "display(image_1)"),
        ("```python\na = 1\n\ndisplay(a)```", "a = 1\n\ndisplay(a)"),
        ("```python\n```", ""),
        ("```python\ndisplay(image_1)", None),
        ("ACTION 0: No action needed.", None),
        ("`display(image_1)`", None),
    ],
)
def test_actions_are_the_first_fenced_block(text: str, code: str | None) -> None:
    assert parsed(text).code == code


def test_a_turn_has_both() -> None:
    text = f"{BLOCK}\nFINAL ANSWER: 1. TERMINATE"
    assert parsed(text) == Turn("display(image_1)", "1")


def test_observations_tell_what_happened() -> None:
    assert "There is no 'x'." in observed(Ran(PICTURE, notes=("There is no 'x'.",)))
    assert "failed: NameError: y" in observed(Ran(None, "NameError: y"))


@given(
    st.text(alphabet=st.sampled_from("`python\nFINAL ANSWER:.TERMINATE|\x00\ud800 1"), max_size=300)
)
@settings(max_examples=200, deadline=None)
def test_anything_is_read(text: str) -> None:
    turn = parsed(text)
    assert turn.answer is None or (turn.answer and "\n" not in turn.answer)


@pytest.mark.parametrize("text", ["```python\n", "```\n" + " " * 9, "```" + " " * 9, "`", "\r\n"])
def test_nothing_takes_long_to_read(text: str) -> None:
    started = time.process_time()
    parsed(text * 2000)
    parsed("```python\n" + text[-1] * 20_000)
    assert time.process_time() - started < 1
