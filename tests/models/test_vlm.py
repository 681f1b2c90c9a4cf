"""A vision-language model: states that stand alone, losses over answers, what is written, saved."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from tastemaker.errors import BadInput
from tastemaker.models.vlm import Asked, VisionModel, open_vision_model
from tastemaker.models.vlm_rows import Rows
from tests.models.vision_models import (
    picture,
    save_llava,
    save_onevision,
    save_qwen,
    save_smolvlm,
    tiny,
)

ASKED = [
    Asked("red shoe", picture(0), "big"),
    Asked("text alone"),
    Asked("blue", picture(1, 64, 20), "é 日本"),
    Asked("", picture(2, 33, 33)),
]
OTHERS: dict[str, Callable[[Path], Path]] = {
    "clip": lambda folder: save_llava(folder, "clip"),
    "siglip": lambda folder: save_llava(folder, "siglip", template=None),
    "smolvlm": lambda folder: save_smolvlm(folder, splits=True),
    "qwen": save_qwen,
    "onevision": save_onevision,
}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module", params=["tiny", *OTHERS])
def vision(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> VisionModel:
    if request.param == "tiny":
        return tiny()
    return open_vision_model(OTHERS[request.param](tmp_path_factory.mktemp("model")))


def left(rows: Rows) -> Rows:
    """The same, padded on the left."""
    width, lengths = rows.tokens.shape[1], rows.mask.sum(1)
    places = (torch.arange(width) + lengths[:, None]) % width
    parts = [part.gather(1, places) for part in (rows.tokens, rows.mask, rows.learned)]
    return Rows(*parts, rows.pictures, rows.held)


def close(given: torch.Tensor, wanted: torch.Tensor) -> None:
    """To 3e-5 of the length of a state: positions that are moved turn by rounded angles."""
    length = float(wanted.norm(dim=-1).max())
    torch.testing.assert_close(given, wanted, rtol=0, atol=3e-5 * max(1.0, length))


@torch.no_grad()
def test_states_depend_on_no_neighbour_and_no_padding(vision: VisionModel) -> None:
    rows = vision.rows(ASKED)
    states = vision.states(rows)
    assert states.shape == (*rows.tokens.shape, vision.dim)
    moved = left(rows)
    close(vision.states(moved)[moved.mask], states[rows.mask])
    for row, one in enumerate(ASKED):
        alone = vision.states(vision.rows([one]))[0]
        close(alone, states[row, : len(alone)])
    part = rows.take(2, 4)
    close(vision.states(part)[part.mask], states[2:][rows.mask[2:]])
    assert not torch.allclose(states[0, -1], states[2, -1], atol=1e-2)


@torch.no_grad()
def test_a_mark_stands_for_each_feature(vision: VisionModel) -> None:
    for one in ASKED:
        rows = vision.rows([one])
        features = vision.features(rows)
        marks = int((rows.tokens == vision.mark).sum())
        if one.picture is None:
            assert features is None and marks == 0
        else:
            made = features["image"].pooler_output if features else []
            assert marks == sum(len(part) for part in made) > 0


def test_features_that_were_made_before_change_nothing(vision: VisionModel) -> None:
    rows, other = vision.rows(ASKED), vision.rows([ASKED[0], ASKED[2], ASKED[3]])
    with torch.no_grad():
        features = vision.features(rows)
        close(vision.states(rows, features), vision.states(rows))
        close(vision.states(other, features), vision.states(other))
    vision.zero_grad()
    loss, _ = vision.answer_loss(rows, vision.features(rows))
    loss.backward()
    learns = [weight.grad is not None for weight in vision.tower.parameters()]
    assert sum(learns) > len(learns) / 2
    vision.zero_grad()


@torch.no_grad()
def test_the_loss_is_of_the_answers_alone(vision: VisionModel) -> None:
    rows = vision.rows(ASKED)
    loss, count = vision.answer_loss(rows)
    words = vision.processor.tokenizer
    said = [words.decode(row[on]) for row, on in zip(rows.tokens, rows.learned, strict=True)]
    end = words.decode(vision.prompts.ends[:1])
    assert said == [one.answer + end if one.answer else "" for one in ASKED]
    assert int(count) == int(rows.learned.sum())
    logits = vision.model(**vision.inputs(rows)).logits.float()
    said = logits.log_softmax(-1)[:, :-1].gather(2, rows.tokens[:, 1:, None])[..., 0]
    close(loss / count, -said[rows.learned[:, 1:]].sum() / count)
    bare = vision.answer_loss(vision.rows([Asked("a"), ASKED[3]]))
    assert float(bare[0]) == 0 == int(bare[1])


def test_what_is_written_depends_on_no_other_turn(vision: VisionModel) -> None:
    wrote = vision.write(ASKED, 4)
    assert wrote == [vision.write([one], 4)[0] for one in ASKED]
    drawn = vision.write(ASKED, 4, temperature=1.0, seed=3)
    assert drawn == [vision.write([one], 4, 1.0, 3)[0] for one in ASKED]
    assert drawn != vision.write(ASKED, 4, temperature=1.0, seed=4)
    assert vision.write([]) == []


@torch.no_grad()
def test_saved_and_opened_it_says_the_same(vision: VisionModel, tmp_path: Path) -> None:
    vision.save(tmp_path / "model")
    opened = open_vision_model(tmp_path / "model")
    rows, again = vision.rows(ASKED), opened.rows(ASKED)
    assert torch.equal(rows.tokens, again.tokens)
    assert torch.equal(opened.states(again), vision.states(rows))
    assert opened.write(ASKED, 4) == vision.write(ASKED, 4)
    assert (opened.most_tokens, opened.dim) == (vision.most_tokens, vision.dim)
    known = transformers.AutoModelForImageTextToText.from_pretrained(tmp_path / "model")
    assert type(known) is type(vision.model)


@torch.no_grad()
def test_bfloat16_computes_on_the_cpu(vision: VisionModel, tmp_path: Path) -> None:
    vision.save(tmp_path / "model")
    half = open_vision_model(tmp_path / "model", torch.bfloat16)
    rows = half.rows(ASKED)
    states = half.states(rows, half.features(rows))
    assert states.dtype == torch.bfloat16 and states.isfinite().all()
    loss, _ = half.answer_loss(rows)
    assert loss.dtype == torch.float32 and len(half.write(ASKED[:2], 2)) == 2


def test_rows_that_are_too_long_are_named_with_both_numbers() -> None:
    vision = tiny(context=40)
    with pytest.raises(BadInput) as caught:
        vision.rows([Asked("a"), Asked("many words " * 30, picture())])
    assert caught.value.where == "row 1"
    needed = len(tiny(context=999).rows([Asked("many words " * 30, picture())]).tokens[0])
    assert f"{needed:,}" in caught.value.what and "40" in caught.value.what
    with pytest.raises(BadInput) as caught:
        vision.write([Asked("a"), Asked("b" * 10, picture())], max_tokens=30)
    assert caught.value.where == "row 1"
    with pytest.raises(BadInput):
        vision.write([Asked("a")], max_tokens=0)


def test_a_model_that_learns_goes_on_learning_after_it_wrote() -> None:
    vision = tiny().train()
    vision.write(ASKED[:1], 2)
    assert vision.model.training


def test_a_model_that_scales_its_logits_has_its_own_loss() -> None:
    vision = tiny()
    rows = vision.rows(ASKED)
    plain, _ = vision.answer_loss(rows)

    def halved(_: Any, __: Any, out: Any) -> Any:
        out.logits = out.logits / 2
        return out

    vision.model.register_forward_hook(halved)
    vision.plain_head = vision.says_plainly()
    assert not vision.plain_head
    assert abs((vision.answer_loss(rows)[0] - plain).item()) > 1e-3
