"""The command: what it reads, and what it hands on."""

import sys
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.commands.serve import VERBS, ServeOptions, serve
from tastemaker.serve import server
from tastemaker.serve.limits import Limits
from tastemaker.serve.server import Place


def test_options_reach_the_server(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    places: list[Place] = []
    monkeypatch.setattr(server, "serve", lambda place, tell: places.append(place))
    assert serve(ServeOptions("run", port=1)) == {}
    assert "Warning" not in capsys.readouterr().err
    keys = tmp_path / "keys"
    keys.write_text(f"shop {'0' * 64}\n")
    for given in ("", str(keys)):
        limits = Limits(k=5)
        serve(ServeOptions("run", host="0.0.0.0", keys=given, limits=limits, experiment="x=a,b"))
        assert ("Warning" in capsys.readouterr().err) == (not given)
    assert [place.limits.k for place in places] == [1_000, 5, 5]
    assert [place.keys is None for place in places] == [True, True, False]
    assert [place.experiment and place.experiment.name for place in places] == [None, "x", "x"]
    assert places[0].run == Path("run") and "serve" in VERBS


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nowhere"], 3),
        (["nowhere", "--port", "70000"], 2),
        (["nowhere", "--keys", "missing"], 2),
        (["nowhere", "--limits.k", "0"], 2),
        (["nowhere", "--experiment", "x=a"], 2),
        (["nowhere", "--host", "no.such.host.invalid"], 2),
    ],
)
def test_what_cannot_be_served_is_said(
    words: list[str], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *words, *([] if "--port" in words else ["--port", "0"])]) == code
    assert capsys.readouterr().err.splitlines()[-1].startswith("Error: ")


def test_without_its_libraries_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tastemaker.serve.server", None)
    assert main(["serve", "nowhere"]) == 2
    assert "tastemaker[serve]" in capsys.readouterr().err
