"""What was thought stands beside the answer, and changes nothing of it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.cli import main
from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.wishes import Wishes
from tests.run.thinking import thinking, thinking_run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return thinking_run(tmp_path_factory.mktemp("thinking"))


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    """A run of a model without thoughts."""
    return open_run(finished_run)


def bare(answer: Answer) -> Answer:
    """An answer without what was thought."""
    items = tuple(replace(item, considered={}) for item in answer.items)
    return replace(answer, items=items, thoughts=())


def refusal(saved: SavedRun, model: str = "", user: str = "u1") -> BadInput:
    with pytest.raises(BadInput) as caught:
        saved.recommend(user, 3, model=model, explain=True)
    assert caught.value.fields["where"] == "--explain"
    return caught.value


def test_thoughts_stand_beside_the_answer_and_change_nothing_of_it(run: Path) -> None:
    saved = open_run(run)
    plain = saved.recommend("u1", 5, model="vrec")
    answer = saved.recommend("u1", 5, model="vrec", explain=True)
    assert plain.thoughts == () and bare(answer) == plain
    assert answer == saved.answer("u1", Wishes(5), "vrec", explain=True)
    assert len(answer.thoughts) == 2
    assert answer.thoughts == saved.models.neural.thoughts(saved.context("u1"))[0]  # type: ignore[attr-defined]
    assert [said.verifier for said in answer.thoughts[0].said] == ["text", "collaborative"]


def test_the_command_says_what_python_says(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    answer = open_run(run).recommend("u1", 4, model="vrec", explain=True)
    words = ["recommend", str(run), "--user", "u1", "--k", "4", "--model", "vrec", "--explain"]
    assert main([*words, "--json"]) == 0

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found == json.loads(json.dumps(answer.to_json(), allow_nan=False))
    assert found["thoughts"][1]["moved"] == answer.thoughts[1].moved
    assert main(words) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "After 2 thoughts" in shown
    names = [said.groups[0][0] for said in answer.thoughts[1].said]
    assert any(name.startswith("around [red]kind") and name.endswith("</b>") for name in names)
    assert all(name in shown for name in names)


def test_items_say_how_likely_their_groups_were(saved: SavedRun) -> None:
    made = thinking(saved)
    answer = made.recommend("u2", 4, offset=2, model="vrec", explain=True)
    codes = [made.interactions.item_code(item.item) for item in answer.items]
    model = made.models.neural
    (found,) = model.considered(made.context("u2"), torch.tensor([codes]))  # type: ignore[attr-defined]
    assert [item.considered for item in answer.items] == found
    last = {said.verifier: dict(said.groups) for said in answer.thoughts[-1].said}
    for item in answer.items:
        assert len(item.considered) == 2
        for name, share in item.considered.items():
            verifier, group = name.split(": ", 1)
            assert last[verifier].get(group, share) == pytest.approx(share, abs=1e-6)


def test_where_the_blend_ranks_it_says_whose_thoughts_and_what_they_weigh(saved: SavedRun) -> None:
    made = thinking(saved, 0.25)
    answer = made.recommend("u1", 3, model="blend", explain=True)
    assert answer.model == "blend"
    assert answer.thoughts == made.recommend("u1", 3, model="vrec", explain=True).thoughts
    assert "vrec" in answer.reason and "0.25" in answer.reason and "ease 0.5" in answer.reason
    assert bare(answer).items == made.recommend("u1", 3, model="blend").items


def test_an_explanation_that_would_explain_nothing_is_refused(saved: SavedRun) -> None:
    assert "sasrec" in str(refusal(saved))
    made = thinking(saved)
    assert "vrec" in str(refusal(made, "ease")) and "ease" in str(refusal(made, "ease"))
    assert "no weight" in str(refusal(thinking(saved, 0.0), "blend"))
    assert "without thoughts" in str(refusal(thinking(saved, thoughts=0), "vrec"))
    assert "vrec" in str(refusal(made, "ease", user="nobody"))


def test_the_command_refuses_as_it_refuses_all_options(
    run: Path, finished_run: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["recommend", str(finished_run), "--user", "u1", "--explain"]) == 2
    assert "--explain" in capsys.readouterr().err
    assert main(["recommend", str(run), "--user", "u1", "--model", "ease", "--explain"]) == 2
    assert "--model vrec" in capsys.readouterr().err
    to = tmp_path / "all.jsonl"
    assert main(["recommend", str(run), "--users", "all", "--to", str(to), "--explain"]) == 2
    assert "--user" in capsys.readouterr().err and not to.exists()


def test_nothing_is_thought_about_somebody_who_chose_nothing(saved: SavedRun) -> None:
    made = thinking(saved)
    log = made.interactions
    code = log.user_codes["u1"]
    kept = np.repeat(np.arange(log.num_users), log.lengths) != code
    forgotten = replace(made, interactions=log.select(kept))
    for where, user, known in ((made, "nobody", False), (forgotten, "u1", True)):
        asked = where.recommend(user, 3, model="vrec", explain=True)
        assert asked.known is known and asked.model == "popularity" and len(asked.items) == 3
        assert asked.thoughts == () and "no thoughts" in asked.reason
        assert all(item.considered == {} for item in asked.items)


def test_thoughts_that_nothing_checks_are_counted_and_say_nothing(saved: SavedRun) -> None:
    answer = thinking(saved, verifiers=()).recommend("u1", 3, model="vrec", explain=True)
    assert [thought.said for thought in answer.thoughts] == [(), ()]
    assert all(item.considered == {} for item in answer.items)
    json.dumps(answer.to_json(), allow_nan=False)
