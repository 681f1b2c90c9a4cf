"""A linear policy starts as the base model, and shares what it learns."""

import torch

from tastemaker.reinforce.linear import LinearPolicy

CHANCES = torch.tensor([[0.7, 0.2, 0.1], [1 / 3, 1 / 3, 1 / 3]])
FEATURES = torch.tensor([[[1.0], [0], [0]], [[0], [1.0], [0]]])
PROMPTS = torch.tensor([0, 1])


def test_untrained_it_answers_as_the_base_model() -> None:
    model = LinearPolicy(CHANCES, FEATURES)
    torch.testing.assert_close(model.distribution(PROMPTS).exp(), CHANCES)
    said = model.sample(PROMPTS, 4000, torch.Generator().manual_seed(0))
    shares = torch.stack([(said.answers == one).float().mean(1) for one in range(3)], 1)
    torch.testing.assert_close(shares, CHANCES, atol=0.03, rtol=0)
    torch.testing.assert_close(
        said.log_probabilities[:, :, 0], CHANCES.log().gather(1, said.answers)
    )
    entropy = -(CHANCES * CHANCES.log()).sum(1)
    torch.testing.assert_close(said.entropy, entropy)
    assert said.certainty[0].std() == 0 and said.certainty[0, 0] > said.certainty[1, 0]
    assert abs(float(said.certainty[1, 0])) < 1e-6
    assert said.mask.shape == said.tokens.shape == (2, 4000, 1)


def test_what_one_prompt_learns_helps_another_and_its_own_does_not() -> None:
    model = LinearPolicy(CHANCES, FEATURES, own=0.5)
    model.log_probabilities(PROMPTS[:1], torch.tensor([[[0]]])).sum().backward()
    with torch.no_grad():
        for one in model.parameters():
            one += one.grad
    assert not model.each[1].any() and model.each[0].any()
    assert float(model.distribution(PROMPTS)[1].exp()[1].detach()) > 1 / 3
