"""tune: the search ends no lower than it began, every trial is on record, a stop loses none."""

import json
import logging
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tastemaker.errors import BadInput, NumericFault
from tastemaker.options import RunOptions, TuneOptions
from tastemaker.recommend.backbones import NEURAL
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tastemaker.run import tune
from tastemaker.run.plan import Plan
from tastemaker.run.tune import SPACE, drawn, space_of, taken, tune_model, varied
from tastemaker.train.config import FitConfig

SMALL = {
    "model.dim": (8, 16),
    "model.layers": (1,),
    "model.history": (5, 8),
    "fit.lr": (1e-3, 1e-2),
    "fit.batch": (8,),
}


@pytest.fixture
def options(small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuneOptions:
    monkeypatch.setattr(tune, "SPACE", SMALL)
    monkeypatch.setitem(NEURAL, "sasrec", replace(NEURAL["sasrec"], space={}))
    return TuneOptions("sasrec", 3, epochs=1, data=str(small_data), out=str(tmp_path / "tuned"))


def lines_of(options: TuneOptions) -> list[dict[str, Any]]:
    text = (Path(options.out) / "trials.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_search_records_every_trial_and_ends_with_the_best(options: TuneOptions) -> None:
    found = tune_model(options)
    lines = lines_of(options)
    for name in ("sasrec", *COUNTING):
        mine = [line for line in lines if line["model"] == name]
        assert [line["trial"] for line in mine] == list(range(len(mine)))
        assert mine[0]["settings"] == {}
        few = name in ("popularity", "markov-1")
        assert len(mine) == (1 if few else 3)
        best = max(line["ndcg@10"] for line in mine)
        assert found["tuned"][name]["best"] == best >= found["tuned"][name]["first"]
    run = Path(found["run"])
    stored = json.loads((run / "config.json").read_text())
    for name, value in found["tuned"]["sasrec"]["settings"].items():
        part, option = name.split(".")
        assert stored["model_config" if part == "model" else "fit"][option] == value
    assert stored["knobs"] == {name: found["tuned"][name]["settings"] for name in COUNTING}
    assert found["validation"]["markov-last-5"] == found["tuned"]["markov-last-5"]["best"]
    assert found["validation"]["sasrec"] == pytest.approx(found["tuned"]["sasrec"]["best"])
    assert [path.name for path in Path(options.out).glob("trial-*")] == [run.name]


def test_counting_is_tuned_first_and_every_trial_is_said(
    options: TuneOptions, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "tastemaker"):
        tune_model(options)
    said = [text for text in caplog.messages if ", trial " in text]
    assert len(said) == len(lines_of(options))
    names = [text.split(",")[0] for text in said]
    assert names.index("ease") < names.index("sasrec")


def test_a_search_that_cannot_be_measured_is_refused_and_leaves_no_folder(
    tmp_path: Path,
) -> None:
    rows = [f"u{u},i{(u + n) % 4},{u * 100 + n}" for u in range(20) for n in range(9)]
    (tmp_path / "log.csv").write_text("user_id,item_id,timestamp\n" + "\n".join(rows))
    out = tmp_path / "tuned"
    with pytest.raises(BadInput, match="--repeats"):
        tune_model(TuneOptions("sasrec", 2, data=str(tmp_path / "log.csv"), out=str(out)))
    assert not out.exists()


def test_a_stopped_search_goes_on_where_it_was(
    options: TuneOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tune_model(replace(options, out=options.out + "-whole"))
    train, calls = tune.train_neural, []

    def stop(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train(*given)

    monkeypatch.setattr(tune, "train_neural", stop)
    with pytest.raises(KeyboardInterrupt):
        tune_model(options)
    before = lines_of(options)
    assert [line["model"] for line in before][-3:] == ["ease", "sasrec", "sasrec"]
    with pytest.raises(BadInput, match="holds something already"):
        tune_model(options)
    again = tune_model(replace(options, resume=True))
    assert lines_of(options)[: len(before)] == before
    assert len(calls) == 4
    assert again["tuned"] == whole["tuned"]
    assert again["models"] == whole["models"]


def test_a_trial_that_diverges_is_recorded_and_not_chosen(
    options: TuneOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, calls = tune.train_neural, []

    def diverge(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise NumericFault("The loss is inf.", "step 3", "Lower the learning rate.")
        return train(*given)

    monkeypatch.setattr(tune, "train_neural", diverge)
    found = tune_model(options)
    first, *others = (line for line in lines_of(options) if line["model"] == "sasrec")
    assert first["ndcg@10"] is None
    assert "The loss is inf" in first["error"]
    assert found["tuned"]["sasrec"]["best"] == max(line["ndcg@10"] for line in others)
    assert found["tuned"]["sasrec"]["first"] is None


@pytest.mark.parametrize("model", list(NEURAL))
def test_a_search_draws_only_options_that_the_model_has(model: str) -> None:
    space, config = space_of(model), NEURAL[model].config()
    assert "fit.lr" in space and {"model.dim", "model.backbone.dim"} & space.keys()
    for option in space:
        group, *path = option.split(".")
        options: Any = config if group == "model" else NEURAL[model].presets["default"].fit
        for name in path:
            options = vars(options)[name]


def test_a_model_that_was_trained_before_keeps_its_sizes() -> None:
    backbone = NEURAL["vrec"]
    every = taken(space_of("vrec"), backbone.config())
    assert every == space_of("vrec")
    titles = taken(every, backbone.presets["titles"].model)
    assert every.keys() - titles.keys() == {"model.dim", "model.layers", "model.dropout"}


def test_a_trial_sets_options_of_a_backbone_too() -> None:
    cuts: Any = SimpleNamespace(interactions=SimpleNamespace(num_items=9, times=None))
    made = Plan(RunOptions(), cast(Any, None), cuts, PriorsConfig(), FitConfig(), {})
    settings = {"model.backbone.dim": 8, "model.backbone.layers": 1, "model.merge": "average"}
    got = varied(made, settings | {"fit.lr": 0.5})
    want = SASRecConfig(dim=8, layers=1, loss="softmax")
    assert got.model == PriorsConfig(want, merge="average") and got.fit == FitConfig(lr=0.5)


def test_drawn_settings_differ_and_depend_on_the_seed_alone() -> None:
    space = {**SPACE, **NEURAL["hstu"].space}
    some = drawn(space, 50, 0)
    assert some == drawn(space, 50, 0) != drawn(space, 50, 1)
    assert some[0] == {}
    assert len({json.dumps(one) for one in some}) == 50
    default = {"window": 5}
    every = drawn({"window": (5, 1, 2)}, 50, 0, default)
    assert sorted(one.get("window", 5) for one in every) == [1, 2, 5]


@pytest.mark.parametrize("wrong", [{"trials": 0}, {"preset": "huge"}])
def test_what_cannot_be_searched_is_refused(options: TuneOptions, wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        tune_model(replace(options, **wrong))
