"""tastemaker embed as a person meets it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.cli import main
from tastemaker.commands.embed import config_of
from tastemaker.commands.embed_options import EmbedTrainOptions
from tastemaker.run import embed as job
from tastemaker.run import embed_opened
from tastemaker.run.embed_config import EmbedConfig
from tastemaker.run.embed_opened import open_embedding
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


def test_a_run_whose_catalogue_lies_elsewhere_says_so(
    embedded: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = replace(open_embedding(embedded[1]), data="gone/items.csv")
    monkeypatch.setattr(embed_opened, "open_embedding", lambda _: moved)
    assert main(["embed", "search", str(embedded[1]), "red square"]) == 2
    told = capsys.readouterr().err
    assert "gone/items.csv" in told and "--data" in told and "movielens" not in told


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
        (["caption", "--model", "RUN", "a.png", "DATA/0.png", "b.png"], "a.png, b.png"),
        (["caption", "--model", "RUN", "DATA/0.png", "--max-tokens", "0"], "max_tokens"),
        (["train", "--data", "DATA", "--tiny.vision-dim", "-1"], "--tiny.vision-dim"),
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


def spoilt(data: Path, folder: Path) -> Path:
    """The same catalogue with a picture that cannot be decoded and one that is gone."""
    shutil.copytree(data, folder)
    (folder / "3.png").write_bytes(b"no picture")
    (folder / "4.png").unlink()
    return folder


def test_bad_rows_are_left_out_where_that_is_asked_for(
    embedded: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = str(spoilt(embedded[0], tmp_path / "spoilt")), str(embedded[1])
    encode = ["embed", "encode", run, "--data", data, "--to", "v.parquet"]
    assert main([*encode, "--json"]) == 2
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert [(one["row"], one["column"]) for one in problems] == [(4, "image"), (5, "image")]
    assert not (tmp_path / "v.parquet").exists()
    drop = ["--on-bad-rows", "drop"]
    assert main([*encode, *drop]) == 0
    assert "2 bad rows left out" in capsys.readouterr().out
    assert pl.read_csv("v-bad-rows.csv")["row"].to_list() == [4, 5]
    where = ["--model", run, "--data", data, "--to", "c.parquet"]
    assert main(["embed", "caption", *where, *drop]) == 0
    assert pl.read_parquet("c.parquet").height == 28 and Path("c-bad-rows.csv").is_file()
    assert main(["embed", "search", run, "red square", "--data", data, *drop, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert answer["searched"] == 28 and answer["dropped"] == 2
    assert Path("search-bad-rows.csv").is_file()


def test_a_caption_can_be_asked_for_otherwise(
    embedded: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    data, run = map(str, embedded)
    words = ["embed", "caption", "--model", run, f"{data}/0.png", "--prompt", "Which colour?"]
    assert main([*words, "--json", "--max-tokens", "4"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["captions"]
    assert told["picture"] == f"{data}/0.png" and isinstance(told["caption"], str)
    assert main([*words, "--prompt", "again"]) == 2


def test_a_model_that_learned_vectors_alone_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(job, "write_page", lambda run: (run / "report.html").write_text(""))
    data = str(squares(tmp_path / "squares", 15))
    alone = ["--alpha-lm", "0", "--epochs", "1", "--out", "run"]
    assert main(["embed", "train", "--data", data, *WORDS, *alone, "--json"]) == 0
    results = json.loads(capsys.readouterr().out)
    assert results["training"]["metric"] == "recall@1" and "written" not in results
    assert main(["embed", "caption", "--model", "run", f"{data}/0.png"]) == 0
    assert "learned vectors alone" in capsys.readouterr().out
    assert main(["embed", "search", "run", "red", "-k", "1"]) == 0
    assert "learned vectors alone" in capsys.readouterr().out
    assert main(["embed", "encode", "run", "--data", data, "--to", "v.parquet"]) == 0
    assert "learned vectors alone" in capsys.readouterr().out
