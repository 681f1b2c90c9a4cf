"""What `models` shows."""

import pytest

from tastemaker.commands.models import show_installed, show_models


def test_models_are_listed_with_size_and_licence(capsys: pytest.CaptureFixture[str]) -> None:
    model = {"name": "m", "kind": "text", "bytes": 2_500_000, "licence": "MIT", "installed": False}
    show_models({"models": [model]})
    assert capsys.readouterr().out.split() == ["m", "text", "2", "MB", "MIT", "not", "installed"]


@pytest.mark.parametrize(("already", "word"), [(True, "already"), (False, "is installed.")])
def test_installing_says_what_was_done(
    capsys: pytest.CaptureFixture[str], already: bool, word: str
) -> None:
    show_installed({"name": "m", "already": already})
    assert word in capsys.readouterr().out
