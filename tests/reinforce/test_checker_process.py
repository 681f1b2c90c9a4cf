"""The process that compares: mathematics, never code; replies that nothing it prints disturbs."""

import importlib.util
import io
import json
import subprocess
import sys

import pytest

from tastemaker.reinforce.checker_process import latex_equal

needs_library = pytest.mark.skipif(
    importlib.util.find_spec("math_verify") is None, reason="needs the extra `rl`"
)


def replies(pairs: list[tuple[str, str]], cpu: float = 5.0, wall: float = 60.0) -> tuple[str, int]:
    program = [sys.executable, "-m", "tests.reinforce.scripted_checker", f"{cpu}", f"{wall}"]
    done = subprocess.run(program, input=json.dumps(pairs) + "\n", capture_output=True, text=True)
    return done.stdout, done.returncode


def test_a_line_for_each_pair_and_the_end_when_the_input_ends() -> None:
    pairs = [("A", "a"), ("a", "b"), ("x", "raise"), ("x", "memory"), ("print", "print")]
    assert replies(pairs) == ("ready\n1\n0\n0\n0\n1\n", 0)


@pytest.mark.parametrize("pair, limits", [("loop", (0.2, 60.0)), ("sleep", (60.0, 0.5))])
def test_it_ends_by_itself_when_a_pair_hangs(pair: str, limits: tuple[float, float]) -> None:
    told, code = replies([("a", "a"), ("a", pair), ("a", "a")], *limits)
    assert told == "ready\n1\n"
    assert code < 0


@needs_library
@pytest.mark.parametrize(
    "gold, answer, same",
    [
        (r"\frac12", r"\tfrac{1}{2}", True),
        ("x+1", "1+x", True),
        (r"3\sqrt{13}", r"\sqrt{117}", True),
        (r"\left( 3, \frac{\pi}{2} \right)", r"(3,\pi/2)", True),
        ("p - q", "q - p", False),
        ("x+1", "x+2", False),
        ("x", "x+1", False),
        (r"\frac{x}{3}", "0.333333x", False),
        (r"50\%", "0.5", True),
        (r"x=5", "5", True),
        (r"\sqrt{x^2}", "|x|", True),
        (r"\sin^2 x+\cos^2 x", "1", True),
        (r"\frac{1}{x-x}", "1", False),
        (r"\text{Evelyn}", "Evelyn", True),
        ("2i", "2j", False),
        (r"[1,2)", r"[1,2]", False),
        ("{{{", "1", False),
        (r"\frac{", "1", False),
        ("", "", False),
        ("\x00\x1b[31m", "1", False),
        ("{" * 9 + "1" + "}" * 9, "2", False),
    ],
)
def test_mathematics(gold: str, answer: str, same: bool) -> None:
    assert latex_equal()(gold, answer) is same


@needs_library
def test_code_in_an_answer_is_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing opens, imports or prints, whatever an answer spells."""
    heard = io.StringIO()
    monkeypatch.setattr(sys, "stdout", heard)
    equal = latex_equal()
    for text in (
        "__import__('os').system('echo heard')",
        r"\text{x}; print('heard')",
        "print(1)",
        "open('heard','w')",
    ):
        assert not equal("1", text)
    assert not heard.getvalue()
