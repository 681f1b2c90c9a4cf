"""Data of the benchmark as a person makes and checks it."""

import json
from pathlib import Path
from typing import Any

import pytest

from tastemaker.commands.gistbench_data import VERBS
from tastemaker.commands.parsing import parse
from tastemaker.commands.verbs import Verb
from tastemaker.errors import BadInput
from tastemaker.understand.tasks import open_task


def call(name: str, *words: str) -> dict[str, Any]:
    verb = VERBS[f"gistbench {name}"]
    assert isinstance(verb, Verb)
    answer = verb.call(parse(f"gistbench {name}", verb, list(words)).options)
    verb.show(answer)
    return json.loads(json.dumps(answer))  # type: ignore[no-any-return]


def test_users_are_planted_imitated_and_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planted, fitted = str(tmp_path / "planted"), str(tmp_path / "fitted")
    assert call("make-planted", planted, "--users", "15")["events"] == 15 * 80
    answer = call("make-dataset", planted, "--out", fitted, "--users", "9")
    assert answer["fidelity"]["shared_histories"] == 0
    told = capsys.readouterr().out
    assert "polarities" in told and "9 users" in told
    assert open_task(fitted).signals.log.num_users == 9
    task = open_task(planted)
    assert task.oracle is not None and task.taxonomy is not None
    rows = [
        f"{user},{name},{'yes' if number in known else 'no'}"
        for user, known in task.oracle.users.items()
        for number, name in enumerate(task.taxonomy.names, start=1)
    ]
    survey = tmp_path / "survey.csv"
    survey.write_text("\n".join(["user_id,interest,answer", *rows]))
    answer = call("validate", planted, "--survey", str(survey))
    assert answer["measures"]["kappa"]["value"] == 1
    assert answer["compared"] == 15 * 24
    assert "kappa" in capsys.readouterr().out


def test_folders_in_use_and_calls_without_a_survey_are_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes").write_text("x")
    for out in (str(tmp_path / "mine"), str(tmp_path / "mine/notes"), ".."):
        with pytest.raises(BadInput):
            call("make-planted", out)
        with pytest.raises(BadInput):
            call("make-dataset", "movielens-small", "--out", out)
    with pytest.raises(BadInput, match="survey"):
        call("validate", "planted")
    with pytest.raises(BadInput):
        call("make-planted", str(tmp_path / "new"), "--users", "0")
    with pytest.raises(BadInput):
        call("make-planted", str(tmp_path / "new"), "--seed", "-1")
    assert not (tmp_path / "new").exists()
