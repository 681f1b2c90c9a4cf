"""A run asks everybody once, survives what fails and what interrupts it, and knows its folder."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.request_cache import Cached
from tastemaker.understand import samples
from tastemaker.understand.attempts import Attempts
from tastemaker.understand.extract import LanguageModel
from tastemaker.understand.gistbench import GistOptions, run
from tastemaker.understand.gistbench_results import RESULTS, score
from tastemaker.understand.language_judge import JudgeOptions, LanguageJudge
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import Simulated
from tastemaker.understand.survey_evidence import of_run
from tastemaker.understand.task import Task
from tests.understand.gist_tasks import (
    OPTIONS,
    SIZES,
    TASK,
    TRUTH,
    WORLD,
    Counting,
    Interrupted,
    Told,
)

RESUMED = replace(OPTIONS, resume=True)


@pytest.mark.parametrize("after", [0, 4])
def test_who_is_interrupted_goes_on_to_the_same_results_and_asks_nothing_twice(
    tmp_path: Path, after: int
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    score(run(TASK, Simulated("wrong counts", WORLD), TRUTH, whole, OPTIONS))
    model = Counting(Simulated("wrong counts", WORLD), stop_after=after)
    with pytest.raises(KeyboardInterrupt):
        run(TASK, model, TRUTH, broken, OPTIONS)
    assert len(samples.read(broken)) == after
    model.stop_after = 100
    score(run(TASK, model, TRUTH, broken, replace(RESUMED, block=4)))
    assert model.asked == [user.user for user in TASK.users()]
    for name in (RESULTS, samples.NAME):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()


def test_a_finished_run_is_not_asked_again_and_a_limited_one_can_be_extended(
    tmp_path: Path,
) -> None:
    model, said = Counting(Simulated("oracle", WORLD)), []
    run(TASK, model, None, tmp_path, replace(OPTIONS, limit=3), lambda *n: said.append(n))
    assert said == [(0, 3), (2, 3), (3, 3)]
    for _ in range(2):
        run(TASK, model, None, tmp_path, RESUMED)
    assert model.asked == [user.user for user in TASK.users()]


def test_whatever_fails_of_one_user_is_recorded_and_stops_nobody(tmp_path: Path) -> None:
    good = Simulated("oracle", WORLD).write(list(TASK.users()))[2].extracted.interests[0]
    entry = {"interest": good.name, "item_ids": list(good.cited)}
    told = Told(
        {
            "u0": ValueError("no such thing"),
            "u1": "I like everything.",
            "u2": json.dumps([entry, {"interest": "Tea", "item_ids": "i1"}, {"x": 1}]),
        }
    )
    run(TASK, told, TRUTH, tmp_path, OPTIONS)
    found = {one.user: one for one in samples.read(tmp_path)}
    assert len(found) == 6
    assert found["u0"].failed
    assert "no such thing" in found["u0"].problem
    assert found["u1"].failed
    assert not found["u3"].failed
    results = score(tmp_path)
    failures = results["failures"]
    assert (failures["users"], failures["interests"], failures["nameless"]) == (2, 1, 1)
    assert results["per_user"]["ig_p"] == [0, 0, 0.5, 0, 0, 0]
    assert results["users"]["scored"] == 6


def test_a_judge_who_fails_over_one_user_fails_that_user_alone(tmp_path: Path) -> None:
    class Odd(PlantedJudge):
        def judge(self, users, interests):  # type: ignore[no-untyped-def]
            if any(user.user == "u3" for user in users):
                raise TypeError("what?")
            return super().judge(users, interests)

    run(TASK, Simulated("oracle", WORLD), Odd(WORLD, sizes=SIZES), tmp_path, OPTIONS)
    results = score(tmp_path)
    assert results["per_user"]["hm"] == [1, 1, 1, 0, 1, 1]
    assert results["failures"]["users_unjudged"] == 1


def test_users_whom_the_oracle_lacks_are_not_asked_and_counted(tmp_path: Path) -> None:
    known = {user: own for user, own in WORLD.oracle.items() if user not in ("u1", "u5")}
    model = Counting(Simulated("oracle", WORLD))
    run(replace(TASK, oracle=Oracle(known)), model, TRUTH, tmp_path, OPTIONS)
    results = score(tmp_path)
    assert model.asked == ["u0", "u2", "u3", "u4"]
    assert results["users"]["excluded"] == ["u1", "u5"]
    assert results["users"]["scored"] == 4
    assert results["scores"]["ig_r"]["mean"] == 1
    assert list(of_run(tmp_path).verified) == model.asked


def test_categories_of_names_are_asked_for_once_also_after_an_interruption(tmp_path: Path) -> None:
    asked: list[str] = []

    class Mapping(PlantedJudge):
        def categories(self, names):  # type: ignore[no-untyped-def]
            asked.extend(names)
            return super().categories(names)

    for limit in (2, 0):
        options = replace(RESUMED, limit=limit)
        run(TASK, Simulated("oracle", WORLD), Mapping(WORLD, sizes=SIZES), tmp_path, options)
    assert len(asked) == len(set(asked)) == len(set().union(*WORLD.oracle.values()))


def test_without_a_judge_a_name_is_a_category_where_it_is_one(tmp_path: Path) -> None:
    entries = [{"interest": name, "item_ids": []} for name in ("TEA", "Steeping", "Infusions")]
    run(TASK, Told({"u0": json.dumps(entries)}), None, tmp_path, replace(OPTIONS, limit=1))
    (one,) = samples.read(tmp_path)
    assert [each.category for each in one.interests] == [19, "steeping", "infusions"]


def test_without_a_taxonomy_each_name_is_a_category(tmp_path: Path) -> None:
    run(replace(TASK, taxonomy=None), Simulated("oracle", WORLD), TRUTH, tmp_path, OPTIONS)
    results = score(tmp_path)
    assert [results["scores"][name]["mean"] for name in ("ig_p", "ig_r", "is")] == [1, 1, 1]


@pytest.mark.parametrize("wrong", [{"chunk": 0}, {"block": 0}, {"limit": -1}])
def test_sizes_that_cannot_be_used_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        GistOptions(**wrong)


_PROGRAM = """
import sys
from pathlib import Path
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_results import score
from tastemaker.understand.simulated import Simulated
score(run(TASK, Simulated("echo everything", WORLD), TRUTH, Path(sys.argv[1]), OPTIONS))
"""


def test_a_process_with_another_hash_seed_agrees(tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    score(run(TASK, Simulated("echo everything", WORLD), TRUTH, here, OPTIONS))
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    path = os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])
    around = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", _PROGRAM, there], check=True, env=around)
    for name in (RESULTS, samples.NAME):
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_a_task_without_an_oracle_has_precision_and_no_recall(tmp_path: Path) -> None:
    bare = Task("bare", TASK.signals, TASK.texts, taxonomy=TASK.taxonomy)
    run(bare, Simulated("oracle", WORLD), TRUTH, tmp_path, OPTIONS)
    scores = score(tmp_path)["scores"]
    assert scores["ig_p"]["mean"] == 1
    assert (scores["ig_r"], scores["ig_f1"], scores["hm"]) == (None, None, None)


@pytest.mark.parametrize("after", [5, 17])
def test_a_language_model_who_is_interrupted_anywhere_is_asked_nothing_twice(
    tmp_path: Path, after: int
) -> None:
    def asked(answers: Interrupted, folder: Path) -> None:
        cached = Cached(answers, folder / "replies.sqlite")
        options = replace(RESUMED, limit=3)
        try:
            model = LanguageModel(cached, "speaking", TASK.texts)
            attempts = JudgeOptions(Attempts(repeats=3), SIZES)
            run(TASK, model, LanguageJudge(cached, "judge", TASK, attempts), folder, options)
        finally:
            cached.close()

    model, whole, broken = Interrupted(after), tmp_path / "whole", tmp_path / "broken"
    with pytest.raises(KeyboardInterrupt):
        asked(model, broken)
    asked(model, broken)
    questions = [ask.digest("") for ask in model.asked]
    assert len(questions) == len(set(questions)) > after
    asked(Interrupted(), whole)
    results = score(broken)
    assert results == score(whole)
    assert [(whole / RESULTS).read_bytes()] == [(broken / RESULTS).read_bytes()]
    assert results["tokens"]["judge"]["requests"] > 9
    assert results["kappa"] is not None
    purposes = {call.purpose for one in samples.read(broken) for call in one.judge_calls}
    assert purposes == {"relevant", "unrelated", "pick", "categories"}
