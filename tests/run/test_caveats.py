"""What a reader should doubt: said where it is true, and nowhere else."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.data.interactions import Interactions
from tastemaker.data.splits import Split, leave_one_out
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.options import RunOptions
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.caveats import caveats, caveats_of_heads
from tastemaker.run.job import run_recommender
from tastemaker.run.models import Models
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted
from tastemaker.worlds.logs import planted_groups

ENDED = Fitted(steps=10, epochs=9, best_epoch=4, best=0.1, converged=True)
USERS = 400


@pytest.fixture(scope="module")
def cuts() -> Split:
    return leave_one_out(planted_groups(users=50, items=30, length=10).interactions())


def measured(values: np.ndarray, tied: float = 0.0) -> Evaluation:
    rows = np.arange(len(values))
    return Evaluation(
        rows, {"ndcg@10": values}, np.zeros((len(values), 10), np.int32), None, 0, tied
    )


def said(cuts: Split, gap: float, fitted: Fitted = ENDED, noise: float = 0.2) -> list[str]:
    """Caveats where sasrec − ease, the best on validation, is `gap` on average."""
    rng = np.random.default_rng(0)
    ease = rng.uniform(0, 0.5, USERS)
    drawn = rng.normal(0, noise, USERS)
    sasrec = ease + gap + drawn - drawn.mean()
    neural = SASRec(SASRecConfig(dim=8, heads=1, layers=1, history=50), 30)
    counting = {"popularity": None, "markov-last-5": None, "ease": None}
    on_validation = {"popularity": 0.1, "markov-last-5": 0.2, "ease": 0.3}
    models = Models("sasrec", neural, counting, np.ones(30, bool), validation=on_validation)
    found = {"sasrec": sasrec, "ease": ease, "markov-last-5": ease + 1, "popularity": ease}
    return caveats(models, {name: measured(v) for name, v in found.items()}, cuts, fitted)


def test_a_model_above_counting_needs_no_word(cuts: Split) -> None:
    assert said(cuts, 0.1) == []


def test_not_above_is_said_only_when_the_interval_excludes_zero(cuts: Split) -> None:
    (text,) = said(cuts, -0.1)
    assert "sasrec is not above ease" in text
    assert "-0.1000 [" in text
    (text,) = said(cuts, -0.0002)
    assert "not above" not in text
    assert "do not tell" in text
    assert "-0.0002 [-" in text


def test_a_training_that_was_stopped_is_not_blamed_on_the_log(cuts: Split) -> None:
    stopped = replace(ENDED, converged=False)
    for gap in (-0.1, 0.0, 0.1):
        texts = said(cuts, gap, stopped)
        assert "--fit.epochs" in texts[0]
        assert len(texts) == (1 if gap > 0 else 2)
        assert not any("not above" in text or "small or short" in text for text in texts)


def test_ties_and_few_tested_users_are_said(cuts: Split) -> None:
    neural = SASRec(SASRecConfig(dim=8, heads=1, layers=1, history=50), 30)
    models = Models("sasrec", neural, {"ease": None}, np.ones(30, bool), validation={"ease": 0.1})
    values = np.linspace(0, 1, 50)
    ranked = {"sasrec": measured(values + 1, tied=0.4), "ease": measured(values)}
    assert "40% of the targets" in " ".join(caveats(models, ranked, cuts, ENDED))


def test_histories_that_are_cut_are_said_once(small_data: Path, tmp_path: Path) -> None:
    options = RunOptions(str(small_data), out=str(tmp_path / "run"))
    found = run_recommender(options, SASRecConfig(dim=8, history=5), FitConfig(epochs=1))
    (text,) = [text for text in found["warnings"] if "newest 5" in text]
    assert text.startswith("41 of 60 histories are longer than 5 events: sasrec reads")
    whole = replace(options, out=str(tmp_path / "whole"))
    found = run_recommender(whole, SASRecConfig(dim=8, history=500), FitConfig(epochs=1))
    assert not [text for text in found["warnings"] if "newest" in text]


def test_targets_that_training_never_saw_are_said_where_they_are_most(cuts: Split) -> None:
    neural = SASRec(SASRecConfig(dim=8, heads=1, layers=1, history=50), 30)
    models = Models("sasrec", neural, {"ease": None}, np.ones(30, bool), validation={"ease": 0.1})
    for shared, said in ((0, "2 of 2 test targets are items"), (1, "1 of 1 test target is an item"),
                         (2, "")):  # fmt: skip
        users = {"v": list("abcdefgh"), **({} if shared == 1 else {"u": list("ABCDEFGH")})}
        others = {"w": list("hHab"), "x": list("hHab")} if shared == 2 else {}
        own = leave_one_out(Interactions.from_sequences(users | others))
        count = len(own.queries("test"))
        ranked = {"sasrec": measured(np.ones(count)), "ease": measured(np.zeros(count))}
        texts = [one for one in caveats(models, ranked, own, ENDED) if "never saw" in one]
        assert [one.partition(" that training")[0] for one in texts] == ([said] if said else [])


def test_groups_that_say_nothing_of_many_members_are_said() -> None:
    def heads(count: int) -> dict[str, object]:
        return {"other": {"community": {"count": count, "members": 9_066, "of": "items"}}}

    (text,) = caveats_of_heads(heads(5_012))
    assert text.startswith("5,012 of 9,066 items are in no community")
    assert caveats_of_heads(heads(17)) == caveats_of_heads({}) == []
