"""A survey is read, matched to verified interests, and compared; what does not match is counted."""

from pathlib import Path

import pytest

from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.understand.survey import Survey, validate
from tastemaker.understand.survey_evidence import by_counting
from tastemaker.understand.tasks import open_task
from tastemaker.understand.taxonomy import Taxonomy


def survey(folder: Path, *rows: str, middle: float | None = None) -> Survey:
    path = folder / "survey.csv"
    path.write_text("\n".join(["user_id,interest,answer", *rows]) + "\n")
    return Survey.open(path, middle)


def test_answers_are_words_or_ratings(tmp_path: Path) -> None:
    words = survey(tmp_path, "7,Tea,Yes", "7,Chess,no", "08,tea,TRUE")
    assert words.frame["answer"].to_list() == [1, 0, 1]
    assert words.frame["user_id"].to_list() == ["7", "7", "08"]
    assert words.middle == 0.5
    rated = survey(tmp_path, "7,Tea,1", "7,Chess,5", "", "8,Tea,4.5")
    assert rated.middle == 3
    assert survey(tmp_path, "7,Tea,1", "7,Chess,5", middle=4).middle == 4
    with pytest.raises(BadInput):
        survey(tmp_path, "7,Tea,4", "8,Tea,4")
    (tmp_path / "survey.jsonl").write_text('{"user_id": 7, "interest": "Tea", "answer": "yes"}\n')
    assert Survey.open(tmp_path / "survey.jsonl").frame.rows() == [("7", "Tea", 1.0)]


def test_all_problems_of_a_survey_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        survey(tmp_path, "7,Tea,yes", ",Tea,no", "8,,no", "7, tea,no", "9,Tea,maybe", "9,Chess,4")
    assert {(p.column, p.row, p.count) for p in caught.value.problems} == {
        ("user_id", 2, 1),
        ("interest", 3, 1),
        ("interest", 4, 1),
        ("answer", 5, 1),
        ("answer", 6, 1),
    }
    (tmp_path / "other.csv").write_text("user_id,what\n1,x\n")
    with pytest.raises(BadData) as caught:
        Survey.open(tmp_path / "other.csv")
    assert [p.column for p in caught.value.problems] == ["interest", "answer"]
    (tmp_path / "none.csv").write_text("user_id,interest,answer\n")
    with pytest.raises(BadInput):
        Survey.open(tmp_path / "none.csv")


def test_names_match_whatever_their_case_and_the_rest_is_counted(tmp_path: Path) -> None:
    verified = {"a": {"Tea": 4.0, "Chess": 0.0, "Pottery": 3.0}, "b": {"chess": 5.0}, "c": {}}
    told = survey(
        tmp_path, "a, TEA,yes", "a,chess,no", "b,Tea,yes", "b,Opera,yes", "z,Tea,yes", "z,Chess,no"
    )
    found = validate(verified, told)
    assert (found.users, found.compared, found.unmatched) == (2, 3, 1)
    assert (found.unknown_users, found.unasked) == (1, 2)
    agreed = found.measures["agreement"]
    assert agreed is not None and agreed.value == pytest.approx(2 / 3)
    assert found.to_json()["measures"].keys() == found.measures.keys()  # type: ignore[attr-defined]
    assert len(found.rows()) == len(found.measures)
    with pytest.raises(BadInput):
        validate({"a": {"Opera house": 1.0}}, told)


def test_a_taxonomy_makes_other_names_the_same(tmp_path: Path) -> None:
    taxonomy = Taxonomy(("Tea", "Chess"))
    verified = {"a": {"green tea": 4.0, "loose tea": 6.0}}
    known = {taxonomy.key("green tea"): 1, taxonomy.key("loose tea"): 1}
    told = survey(tmp_path, "a,Tea,yes", "a,chess,yes")
    assert validate(verified, told, taxonomy, known).compared == 2
    recall = validate(verified, told, taxonomy, known).measures["recall"]
    assert recall is not None and recall.value == 0.5
    # Without it nobody was found to have either.
    with pytest.raises(BadInput):
        validate(verified, told)


def test_interests_counted_in_code_agree_with_what_was_planted(tmp_path: Path) -> None:
    task = open_task("planted")
    assert task.planted is not None and task.taxonomy is not None
    rows = [
        f"{user},{task.taxonomy.names[topic - 1]},{'yes' if role == 'interest' else 'no'}"
        for user, roles in task.planted.planted.items()
        for topic, role in roles.items()
    ]
    found = validate(by_counting(task).verified, survey(tmp_path, *rows), task.taxonomy)
    assert (found.users, found.unmatched, found.unasked) == (12, 0, 0)
    kappa, rho = found.measures["kappa"], found.measures["rank_correlation"]
    assert kappa is not None and kappa.value == 1 and kappa.ci95 == (1, 1)
    assert rho is not None and rho.value > 0.9
