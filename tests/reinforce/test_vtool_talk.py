"""Talk in few tokens: what is spoken with a memory is what is read without, row by row."""

import numpy as np
import pytest
import torch

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
pytest.importorskip("transformers", reason="needs tastemaker[llm]")
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model  # noqa: E402
from tastemaker.reinforce.vtool_rollout import Message  # noqa: E402
from tastemaker.reinforce.vtool_talk import ShortTalk  # noqa: E402

PHRASES = ("ACTION 0:\n```python\nedit('", "')\n```", "FINAL ANSWER: 3. TERMINATE")
TEXTS = [PHRASES[0] + "Kale" + PHRASES[1], PHRASES[2]]


@pytest.fixture(scope="module")
def policy() -> ShortTalk:
    shape = TinyVision("conv", 32, 16, 16, 1, 2, 300, 64)
    return ShortTalk(tiny_vision_model(shape, ["What is Kale?", "Kale"] * 9), PHRASES, 4)


def talk(number: int, text: str = "What is Kale?", acted: bool = False) -> tuple[Message, ...]:
    pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
    first = Message("user", text, (Image.fromarray(pixels),))
    return (first, Message("assistant", TEXTS[0]), Message("user", "Now.")) if acted else (first,)


TALKS = [talk(0), talk(1, "Kale"), talk(2, acted=True), talk(3, "What is Kale? What is Kale?")]


def test_a_phrase_is_one_token_and_comes_back_as_it_was(policy: ShortTalk) -> None:
    assert [len(row) for row in policy.tokens(PHRASES)] == [1, 1, 1]
    spoken = policy.taught(TALKS[:2], TEXTS)
    assert spoken.mask.sum(1).tolist() == [len(policy.tokens(TEXTS)[0]) + 1, 2]
    ends = [row[keep.bool()][-1] for row, keep in zip(spoken.tokens, spoken.mask, strict=True)]
    assert len({int(end) for end in ends}) == 1
    said = [row[keep.bool()][:-1] for row, keep in zip(spoken.tokens, spoken.mask, strict=True)]
    assert policy.tokenizer.batch_decode(said) == TEXTS


def test_the_likeliest_tokens_are_those_that_reading_finds(policy: ShortTalk) -> None:
    spoken = policy.speak(TALKS, None)
    logs, entropy = policy.read(spoken)
    own = spoken.mask.bool()
    for row in range(len(TALKS)):
        (alone,) = policy.speak([TALKS[row]], None).texts
        assert alone == spoken.texts[row]
    assert own[:, 0].all() and (logs.exp() <= 1).all() and (entropy >= 0).all()
    uniform = -np.log(len(policy.tokenizer))
    assert (logs[own] > uniform).all(), "the likeliest is above the mean"


def test_drawn_tokens_come_as_often_as_reading_says(policy: ShortTalk) -> None:
    draw = torch.Generator().manual_seed(0)
    spoken = policy.speak([TALKS[0]] * 4000, draw)
    logs, _ = policy.read(policy.taught([TALKS[0]], TEXTS[:1]))
    first = policy.tokens(TEXTS)[0][0]
    share = float((spoken.tokens[:, 0] == first).float().mean())
    wanted = float(logs[0, 0].detach().exp())
    assert abs(share - wanted) < 4 * (wanted / 4000) ** 0.5 + 1e-3
    again = policy.speak([TALKS[0]] * 4000, torch.Generator().manual_seed(0))
    assert torch.equal(again.tokens, spoken.tokens)


def test_what_stands_beside_a_row_changes_nothing(policy: ShortTalk) -> None:
    texts = [TEXTS[0], TEXTS[1], TEXTS[1], TEXTS[0]]
    together = policy.taught(TALKS, texts)
    logs, _ = policy.read(together)
    for row in range(len(TALKS)):
        alone = policy.taught([TALKS[row]], [texts[row]])
        own, _ = policy.read(alone)
        width = own.shape[1]
        assert torch.allclose(own[0], logs[row, :width], atol=1e-5)


def test_a_picture_and_what_was_done_change_what_is_read(policy: ShortTalk) -> None:
    one, other = (policy.read(policy.taught([talk(n)], TEXTS[1:]))[0] for n in (0, 1))
    acted = policy.read(policy.taught([talk(0, acted=True)], TEXTS[1:]))[0]
    assert not torch.allclose(one, other, atol=1e-6) and not torch.allclose(one, acted, atol=1e-6)


def test_a_turn_ends_and_holds_no_mark(policy: ShortTalk) -> None:
    spoken = policy.speak([TALKS[0]] * 500, torch.Generator().manual_seed(1))
    marks = torch.tensor(policy.tokenizer.all_special_ids)
    own = spoken.mask.bool()
    lengths = own.sum(1)
    assert lengths.max() <= 4 and (own.long().cummin(1).values == own.long()).all()
    last = spoken.tokens.gather(1, (lengths - 1)[:, None])[:, 0]
    (end,) = set(last[lengths < 4].tolist())
    assert not torch.isin(spoken.tokens[own], marks[marks != end]).any()
    assert ((spoken.tokens == end) & own).sum(1).max() == 1


def test_a_turn_begins_as_it_must(policy: ShortTalk) -> None:
    first = torch.zeros(1, len(policy.tokenizer), dtype=torch.bool)
    first[0, policy.tokens(PHRASES)[0]] = True
    for draw in (None, torch.Generator().manual_seed(2)):
        texts = policy.speak(TALKS, draw, first.expand(len(TALKS), -1)).texts
        assert all(text.startswith(PHRASES[0]) for text in texts)


def test_it_learns_what_it_is_taught(policy: ShortTalk) -> None:
    optimizer = torch.optim.AdamW(policy.parameters(), 1e-2)
    spoken = policy.taught(TALKS[:2], TEXTS)
    losses = []
    for _ in range(25):
        optimizer.zero_grad()
        loss = policy.lesson(spoken)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0] and list(policy.speak(TALKS[:2], None).texts) == TEXTS
