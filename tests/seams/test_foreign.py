"""What is asked stands at its seam."""

from tastemaker import seams
from tastemaker.models.generate import Scripted


def said(model: seams.Generate, question: str) -> str:
    return model([[{"role": "user", "content": question}]], 1, 0.0, 16, 0)[0][0].text


def test_models_stand_at_their_seams() -> None:
    assert said(Scripted(["Yes."]), "Is it?") == "Yes."
