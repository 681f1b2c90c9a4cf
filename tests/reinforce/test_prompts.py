"""Prompts: a file read as a whole or not at all, every bad line told with what mends it."""

import gzip
import json
from pathlib import Path

import pytest

from tastemaker.data.problems import BadData
from tastemaker.reinforce.prompts import Prompt, arithmetic_prompts, asked, read_prompts
from tastemaker.worlds.arithmetic import ArithmeticProblem

GOOD = {"prompt": "How much is 2 + 3?", "kind": "number", "gold": "5"}


def written(folder: Path, *lines: object) -> Path:
    path = folder / "prompts.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("\n".join(texts) + "\n")
    return path


def refused(path: Path) -> BadData:
    with pytest.raises(BadData) as caught:
        read_prompts(path)
    return caught.value


def test_prompts_of_a_file(tmp_path: Path) -> None:
    talk = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}]
    path = written(tmp_path, GOOD, "", {"id": "t", "messages": talk}, {**GOOD, "id": 7, "gold": 5})
    assert read_prompts(path) == [
        Prompt("1", asked("How much is 2 + 3?"), "5", "number"),
        Prompt("t", tuple(talk), None, "maths"),
        Prompt("7", asked("How much is 2 + 3?"), "5", "number"),
    ]
    zipped = tmp_path / "prompts.jsonl.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert read_prompts(zipped) == read_prompts(path)


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    user = {"role": "user", "content": "Hi"}
    bad: list[tuple[object, str]] = [
        ('{"prompt": "cut', ""),
        ("[1]", ""),
        ("NaN", ""),
        ("{}", "prompt"),
        ({"prompt": "a", "messages": [user]}, "prompt"),
        ({"prompt": " "}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "\ud800"}, "prompt"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "Hi"}]}, "messages"),
        ({"messages": [{"role": "user", "content": 5}]}, "content"),
        ({"messages": [user, {"role": "assistant", "content": "Hi"}]}, "messages"),
        ({**GOOD, "kind": "sum"}, "kind"),
        ({**GOOD, "gold": "five"}, "gold"),
        ({**GOOD, "gold": True}, "gold"),
        ({**GOOD, "kind": "maths", "gold": "x" * 300}, "gold"),
        ({**GOOD, "anwser": "5"}, "anwser"),
        ({**GOOD, "id": "1"}, "id"),
        ('{"prompt": "a", "gold": NaN}', ""),
        ('{"prompt": "a", "gold": -Infinity}', ""),
        ('{"prompt": "a", "gold": 1e999}', "gold"),
        ('{"prompt": "a", "gold": 1, "gold": 2}', "gold"),
        ('{"messages": [{"role": "user", "content": "a", "content": "b"}]}', "content"),
        ({"messages": [{**user, "tool_calls": []}]}, "messages"),
    ]
    error = refused(written(tmp_path, GOOD, *(line for line, _ in bad)))
    told = {problem.row: problem for problem in error.problems}
    assert sorted(told) == list(range(2, len(bad) + 2))
    for row, (line, column) in enumerate(bad, start=2):
        assert told[row].column == column, line
        assert told[row].fix and told[row].what
    assert told[15].value == "'sum'"
    assert told[16].value == "'five'"


def test_a_file_of_nothing_but_faults_is_told_in_a_few_lines(tmp_path: Path) -> None:
    error = refused(written(tmp_path, *["nonsense"] * 5000))
    assert len(error.problems) == 20
    assert sum(problem.count for problem in error.problems) == 5000
    assert max(len(line) for line in str(error).splitlines()) < 400


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe\x00\n", b"[" * 100_000])
def test_files_without_prompts(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(content)
    assert refused(path).problems


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere.jsonl").problems
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(gzip.compress(json.dumps(GOOD).encode() * 100)[:40])
    assert refused(cut).problems


def test_generated_arithmetic_is_asked() -> None:
    (prompt,) = arithmetic_prompts([ArithmeticProblem("-", (3, 7))])
    assert prompt == Prompt("arithmetic 3 - 7", asked("3 - 7 ="), "-4", "number")
