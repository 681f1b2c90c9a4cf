"""Thinking stands apart from what is said, wherever a template or a model breaks off."""

import pytest

from tastemaker.data.replies import Reply, without_thinking


@pytest.mark.parametrize(
    ("raw", "text", "thinking"),
    [
        ("yes", "yes", ""),
        ("", "", ""),
        ("<think>a</think>yes", "yes", "a"),
        ("  <think>\na\n</think>\n\nyes\n", "yes", "a"),
        ("a</think>yes", "yes", "a"),
        ("<think>never closed, yes", "", "never closed, yes"),
        ("so <think>a</think>yes<think>b</think>!", "so yes!", "a\nb"),
        ("a</think>yes<think>b</think>!", "yes!", "a\nb"),
        ("<think></think>yes", "yes", ""),
    ],
)
def test_thinking_is_kept_apart(raw: str, text: str, thinking: str) -> None:
    assert without_thinking(raw) == (text, thinking)


def test_a_reply_without_anything_is_no_failure() -> None:
    assert not Reply().error and Reply().finished
