"""What is drawn at a temperature, and how prompts are padded that are answered together."""

import torch

from tastemaker.models.vlm_rows import Asked
from tastemaker.models.vlm_writing import Drawn, left_padded
from tests.models.vision_models import picture


def test_prompts_end_together() -> None:
    tokens, mask = left_padded([[1, 2, 3], [4]], padding=9)
    assert tokens.tolist() == [[1, 2, 3], [9, 9, 4]]
    assert mask.tolist() == [[True, True, True], [False, False, True]]


def test_draws_follow_the_softmax() -> None:
    asked, logits = [Asked(str(n)) for n in range(3000)], torch.tensor([0.0, 1.0, 2.0])
    drawn = Drawn(asked, 0.5, 0)(torch.zeros(3000, 1), logits.expand(3000, 3)).argmax(1)
    shares = torch.bincount(drawn, minlength=3) / 3000
    torch.testing.assert_close(shares, (logits / 0.5).softmax(0), atol=0.03, rtol=0)
    assert torch.equal(Drawn(asked[:1], 0.0, 0)(torch.zeros(1, 1), logits[None]), logits[None])


def test_noise_is_a_turns_own() -> None:
    logits = torch.zeros(1, 5)

    def noise(one: Asked, seed: int = 0) -> torch.Tensor:
        return Drawn([Asked("other"), one], 1.0, seed)(logits, logits.expand(2, 5))[1]

    first = noise(Asked("a", picture(0)))
    assert torch.equal(first, Drawn([Asked("a", picture(0))], 1.0, 0)(logits, logits)[0])
    for other in (
        noise(Asked("a", picture(1))),
        noise(Asked("a")),
        noise(Asked("a", picture(0)), 1),
    ):
        assert not torch.equal(first, other)
