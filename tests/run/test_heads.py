"""What results say of heads: who speaks for what is recommended, and what each learned from."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.cli import main
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.splits import Split, leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, Evaluation, evaluate
from tastemaker.options import RunOptions
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.run import heads as heads_module
from tastemaker.run.heads import heads_of_run
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run
from tastemaker.train.config import FitConfig
from tastemaker.worlds.logs import planted_groups
from tests.run.headed import BACKBONE, EVENTS, priors


@pytest.fixture(scope="module")
def cuts() -> Split:
    return leave_one_out(planted_groups(users=50, items=30, length=10).interactions())


@pytest.fixture(scope="module")
def model(cuts: Split) -> Priors:
    world, log = planted_groups(users=50, items=30, length=10), cuts.interactions
    ground = Ground.of(log.item_ids, world.catalog(), cuts.train())
    return priors(ground, {CATEGORY: ground.groupings[CATEGORY], "event": EVENTS})


@pytest.fixture(scope="module")
def measured(model: Priors, cuts: Split) -> Evaluation:
    options = EvalOptions(candidates=cuts.trained_items)
    return evaluate(model, cuts.queries("test"), options)


def test_shares_are_those_of_the_lists(model: Priors, cuts: Split, measured: Evaluation) -> None:
    found = heads_of_run(model, cuts, measured)  # type: ignore[arg-type]
    queries = cuts.queries("test")
    said, gained = np.zeros(len(model.head_names)), {}
    for row in range(len(queries)):
        with torch.inference_mode():
            speakers = model.spoken(queries.contexts.slice(row, row + 1))[1][0]
        for code in measured.lists[row, :10].tolist():
            said[int(speakers[code - 1])] += code > 0
        head = int(speakers[queries.target_items[row] - 1])
        gained.setdefault(head, []).append(measured.per_user["ndcg@10"][row])
    assert (found["users"], found["count"]) == (len(queries), len(model.head_names))
    for one in found["heads"]:
        head = model.head_names.index(one["name"])
        assert one["share"] == pytest.approx(said[head] / said.sum())
        own = gained.get(head)
        assert one["users"] == (0 if own is None else len(own))
        assert one["ndcg@10"] == (None if own is None else pytest.approx(np.mean(own)))
    shares = [one["share"] for one in found["heads"]]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1.0)
    assert sum(one["weight"] for one in found["heads"]) == pytest.approx(1.0)
    json.dumps(found, allow_nan=False)


def test_parameters_and_what_nothing_trained(
    model: Priors, cuts: Split, measured: Evaluation
) -> None:
    found = heads_of_run(model, cuts, measured)  # type: ignore[arg-type]
    whole = sum(parameter.numel() for parameter in model.parameters())
    backbone = sum(parameter.numel() for parameter in model.backbone.parameters())
    assert found["parameters"] == {"heads": whole - backbone, "backbone": backbone}
    assert found["axes"]["horizon"] == {"count": 2, "groups": ("short-term", "long-term")}
    assert found["untrained"] == {"event": ["like", "dislike"]}  # the log has one kind
    bare = [one for one in found["heads"] if one["name"].endswith("like")]
    assert bare and all(one["targets"] == 0 for one in bare)


def test_a_head_that_knows_every_item_says_none(cuts: Split, measured: Evaluation) -> None:
    world, log = planted_groups(users=50, items=30, length=10), cuts.interactions
    net = priors(Ground.of(log.item_ids, world.catalog(), cuts.train()), {"event": EVENTS})
    found = heads_of_run(net, cuts, measured)  # type: ignore[arg-type]
    assert all(one["items"] is None for one in found["heads"])


def test_of_many_users_and_heads_some_are_taken(
    model: Priors, cuts: Split, measured: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    spoken = Priors.spoken

    def counting(self: Priors, contexts: Contexts) -> object:
        asked.append(len(contexts))
        return spoken(self, contexts)

    monkeypatch.setattr(Priors, "spoken", counting)
    monkeypatch.setattr(heads_module, "USERS", 20)
    monkeypatch.setattr(heads_module, "KEPT", 3)
    found = heads_of_run(model, cuts, measured)  # type: ignore[arg-type]
    assert sum(asked) == found["users"] == 20
    assert len(found["heads"]) == 3
    assert found["count"] == len(model.head_names)


def test_a_model_without_heads_has_none(
    finished_run: Path, cuts: Split, measured: Evaluation
) -> None:
    plain = open_run(finished_run)
    assert heads_of_run(plain.models.neural, cuts, measured) == {}
    assert "heads" not in plain.results
    assert "intent" not in plain.results["examples"][0]["recommendations"][0]


def test_a_run_records_its_heads_and_answers_by_their_names(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape, out = PriorsConfig(backbone=BACKBONE, offsets=2, segments=2), tmp_path / "run"
    found = run_recommender(RunOptions(str(small_data), out=str(out)), shape, FitConfig(epochs=1))
    recorded = found["heads"]
    assert recorded["count"] == len(recorded["heads"]) == 6
    assert recorded["untrained"] == {}
    assert 'id="heads"' in (out / "report.html").read_text()
    answer = open_run(out).recommend("u1", 5, only=["short-term"])
    assert {item.intent for item in answer.items} <= {one["name"] for one in recorded["heads"]}
    capsys.readouterr()
    asked = ["recommend", str(out), "--user", "u1", "--only", "short-term", "--boost", "Odd=0.2"]
    assert main([*asked, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["model"] == "priors"
    assert all(item["intent"].startswith("short-term · ") for item in said["items"])
    assert main([*asked[:4], "--only", "shrt-term"]) == 2
    assert "'short-term'" in capsys.readouterr().err
    assert main(["recommend", str(out), "--users", "all", "--to", str(tmp_path / "r.csv")]) == 0
    assert (tmp_path / "r.csv").read_text().splitlines()[0].endswith(",model,intent")
