"""GSM8K and MATH-500 as they are handed round; real files where they are there."""

import json
from pathlib import Path

import pytest

from tastemaker.data.problems import BadData
from tastemaker.reinforce.answers import AnswerOptions, Answers
from tastemaker.reinforce.checker_process import latex_equal
from tastemaker.reinforce.equivalence import canonical
from tastemaker.reinforce.problem_sets import gsm8k, math_500
from tests.reinforce.test_checker_process import needs_library

WORKED = "He has 2 * 600 = <<2*600=1200>>1,200 of them.\n#### 1,200"


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_gsm8k(tmp_path: Path) -> None:
    path = lines(tmp_path / "gsm.jsonl", {"question": "How many?", "answer": WORKED})
    (prompt,) = gsm8k(path)
    assert (prompt.gold, prompt.kind) == ("1,200", "number")
    assert prompt.messages[0]["content"].startswith("How many?\n")


def test_bad_rows_of_gsm8k(tmp_path: Path) -> None:
    good = {"question": "How many?", "answer": WORKED}
    bad = [{**good, "answer": "1200"}, {**good, "answer": "#### many"}, {"question": "How many?"}]
    with pytest.raises(BadData) as refused:
        gsm8k(lines(tmp_path / "gsm.jsonl", good, *bad))
    assert sorted(problem.row or 0 for problem in refused.value.problems) == [2, 3, 4]


def test_math_500_as_lines_and_as_a_list(tmp_path: Path) -> None:
    rows = [
        {"problem": "What?", "answer": r"\frac{1}{2}", "solution": r"\boxed{1}", "unique_id": "a"},
        {"prompt": "What?", "solution": r"Thus \boxed{p - q}."},
    ]
    path = tmp_path / "math.json"
    path.write_text(json.dumps(rows))
    told = [(one.id, one.gold, one.kind) for one in math_500(path)]
    assert told == [("a", r"\frac{1}{2}", "maths"), ("math-500 2", "p - q", "maths")]
    assert math_500(lines(tmp_path / "math.jsonl", *rows)) == math_500(path)
    with pytest.raises(BadData):
        math_500(lines(tmp_path / "bad.jsonl", rows[0], {"problem": "What?", "solution": "p"}))


def test_the_real_files_are_read_and_every_worked_answer_is_right(shared_data: Path) -> None:
    if not (shared_data / "gsm8k").is_dir() or not (shared_data / "math-500").is_dir():
        pytest.skip("no GSM8K or MATH-500 among the real data")
    prompts = gsm8k(shared_data / "gsm8k" / "test.jsonl")
    assert len(prompts) == 1319
    rows = (shared_data / "gsm8k" / "test.jsonl").read_text().splitlines()
    worked = [json.loads(row)["answer"] for row in rows]
    golds = [prompt.gold or "" for prompt in prompts]
    with Answers(AnswerOptions(exact=True)) as answers:
        assert all(answers.right(worked, golds, ["number"] * len(golds)))
        hard = math_500(shared_data / "math-500" / "test.json")
        assert len(hard) == 500
        golds = [prompt.gold or "" for prompt in hard]
        boxes = [rf"Thus \boxed{{{gold}}}." for gold in golds]
        assert all(answers.right(boxes, golds, ["maths"] * len(golds)))


@needs_library
def test_mathematics_of_real_answers_survives_its_one_spelling(shared_data: Path) -> None:
    if not (shared_data / "math-500").is_dir():
        pytest.skip("no MATH-500 among the real data")
    golds = {prompt.gold or "" for prompt in math_500(shared_data / "math-500" / "test.json")}
    spelt = [(gold, canonical(gold, "maths")) for gold in sorted(golds)]
    equal = latex_equal()
    assert [gold for gold, form in spelt if not form.number and not equal(gold, form.text)] == []
