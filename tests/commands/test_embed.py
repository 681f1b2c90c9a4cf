"""tastemaker embed as a person meets it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.cli import main
from tastemaker.commands.embed import config_of
from tastemaker.commands.embed_options import EmbedTrainOptions
from tastemaker.run import embed as job
from tastemaker.run.embed_config import EmbedConfig
from tests.run.embedded import WORDS, squares


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def test_one_command_trains_on_a_catalogue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    data = str(squares(tmp_path / "squares"))
    words = ["embed", "train", "--data", data, *WORDS, "--epochs", "1"]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert "learned from 18 pictures" in shown and "runs/embed-squares/report.html" in shown
    assert main(words) == 2
    assert "something already" in capsys.readouterr().err
    assert main([*words, "--out", "runs/embed-squares", "--resume", "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["fit"]["metric"] == "joint" and results["cafe"]["vision_lr"] == 1


def test_search_encode_and_caption(
    embedded: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = map(str, embedded)
    assert main(["embed", "search", run, "red square", "-k", "3"]) == 0
    assert capsys.readouterr().out.count("red square") == 4
    image = ["--image", f"{data}/1.png", "--data", f"{data}/items.csv"]
    assert main(["embed", "search", run, *image, "--side", "both", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["items"][0]["title"] == "green square" and answer["searched"] == 30
    assert main(["embed", "encode", run, "--data", data, "--to", "v.parquet"]) == 0
    assert "30 vectors of pictures, 32 wide: v.parquet" in capsys.readouterr().out
    assert main(["embed", "caption", "--model", run, f"{data}/0.png", f"{data}/2.png"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told == [f"{data}/0.png: red square", f"{data}/2.png: blue square"]
    where = ["--data", data, "--to", "c.csv", "--max-tokens", "8"]
    assert main(["embed", "caption", "--model", run, *where]) == 0
    assert "30 captions: c.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["train"], "--data"),
        (["train", "--data", "nowhere"], "nowhere"),
        (["train", "--data", "movielens-small"], "image"),
        (["search", "nowhere", "red"], "nowhere"),
        (["search", "RUN"], "--image"),
        (["search", "RUN", "red", "--data", "nowhere"], "nowhere"),
        (["search", "RUN", "--image", "nowhere.png"], "nowhere.png"),
        (["search", "RUN/model", "red"], "--data"),
        (["encode", "RUN", "--data", "DATA", "--to", "v.csv"], ".parquet"),
        (["encode", "RUN", "--data", "DATA", "--to", "RUN/v.parquet"], "run"),
        (["caption", "DATA/0.png"], "embed train"),
        (["caption", "--model", "RUN", "nowhere.png"], "nowhere.png"),
        (["caption", "--model", "RUN", "DATA/0.png", "--max-tokens", "0"], "max_tokens"),
        (["caption", "--model", "RUN", "--data", "DATA", "--to", "c.txt"], ".csv"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    embedded: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    named: str,
) -> None:
    data, run = map(str, embedded)
    given = [word.replace("RUN", run).replace("DATA", data) for word in words]
    assert main(["embed", *given]) == 2
    assert named in capsys.readouterr().err


def test_the_command_and_the_library_train_alike() -> None:
    assert config_of(EmbedTrainOptions(data="d")) == EmbedConfig()


def test_rates_follow_what_is_fresh() -> None:
    def rates(**options: object) -> tuple[float, float]:
        config = config_of(EmbedTrainOptions(data="d", **options))  # type: ignore[arg-type]
        return config.fit.lr, config.cafe.vision_lr

    assert rates() == (1e-3, 1.0)
    assert rates(tower="efficientnet-lite0") == (1e-3, 0.5)
    assert rates(model="m") == (1e-5, 0.5) and rates(model="m", lora=4) == (1e-4, 0.5)
    assert rates(lr=0.5, vision_lr=0.0) == (0.5, 0.0)


def test_weights_are_chosen_by_what_is_trained() -> None:
    def metric(**options: object) -> str:
        return config_of(EmbedTrainOptions(data="d", **options)).fit.metric  # type: ignore[arg-type]

    assert metric() == "joint" and metric(metric="recall@1") == "recall@1"
    assert metric(alpha_lm=0.0) == "recall@1" and metric(alpha_con=0.0) == "likelihood"
