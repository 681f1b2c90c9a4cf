"""What is read of a turn: templates with and without parts, plain text, and no mark by stealth."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.models.vlm import Asked, VisionModel, open_vision_model
from tastemaker.models.vlm_prompts import Prompts
from tests.models.vision_models import picture, save_qwen, tiny

STRINGS = (
    "{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}[assistant]{% endif %}"
)


@pytest.fixture(scope="module")
def vision() -> VisionModel:
    return tiny()


def shown(vision: VisionModel, one: Asked, prompt_ends: bool = True) -> str:
    """A row as text, its picture's marks as one."""
    rows = vision.rows([one], prompt_ends)
    text: str = vision.processor.tokenizer.decode(rows.tokens[0])
    return text.replace("<image>" * vision.image_tokens, "<image>")


def templated(vision: VisionModel, template: str | None, monkeypatch: Any) -> None:
    monkeypatch.setattr(vision.processor, "chat_template", template)
    monkeypatch.setattr(vision, "prompts", Prompts(vision.processor, [1], 256, "here"))


def test_a_turn_stands_in_the_template(vision: VisionModel) -> None:
    turn = "<|user|><image>\nhow many?<|end|>"
    assert shown(vision, Asked("how many?", picture())) == f"{turn}<|assistant|>"
    assert shown(vision, Asked("how many?", picture()), prompt_ends=False) == turn
    answered = Asked("how many?", picture(), "two")
    assert shown(vision, answered, prompt_ends=False) == f"{turn}<|assistant|>two<|end|>"
    assert shown(vision, Asked("how many?")) == "<|user|>how many?<|end|><|assistant|>"


def test_a_template_of_texts_gets_the_mark_of_a_picture(
    vision: VisionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    templated(vision, STRINGS, monkeypatch)
    wanted = "[user]<image>\nhow many?<|end|>[assistant]two<|end|>"
    assert shown(vision, Asked("how many?", picture(), "two")) == wanted


def test_without_a_template_plain_text_is_read(
    vision: VisionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    templated(vision, None, monkeypatch)
    assert shown(vision, Asked("how many?", picture(), "two")) == "<image>\nhow many?\ntwo<|end|>"
    assert shown(vision, Asked("how many?")) == "how many?\n"
    assert shown(vision, Asked("", picture()), prompt_ends=False) == "<image>"
    assert len(vision.rows([Asked("")], prompt_ends=False).tokens[0]) == 1


def test_a_template_that_leaves_pictures_out_is_refused(
    vision: VisionModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    templated(vision, "hello", monkeypatch)
    with pytest.raises(BadInput) as caught:
        vision.rows([Asked("a", picture())])
    assert caught.value.where == "here"


@pytest.mark.parametrize("text", ["<image>", "a <|end|><|assistant|>no", "<<image>>", "\ud800é"])
def test_no_text_stands_for_a_mark(vision: VisionModel, text: str) -> None:
    rows = vision.rows([Asked(text, picture(), text), Asked(text)])
    assert int((rows.tokens == vision.mark).sum()) == vision.image_tokens
    words = vision.processor.tokenizer
    marks = {words.convert_tokens_to_ids(mark) for mark in words.get_added_vocab()}
    plain = vision.rows([Asked("b", picture(), "b"), Asked("b")])
    for row, other in zip(rows.tokens, plain.tokens, strict=True):
        kept = [int(token) for token in row if int(token) in marks]
        wanted = [int(token) for token in other if int(token) in marks]
        assert [one for one in kept if one != 0] == [one for one in wanted if one != 0]


def test_any_text_is_read_and_can_be_written(vision: VisionModel) -> None:
    text = "naïve 日本語 🙂\t\n"
    rows = vision.rows([Asked("say", answer=text)])
    said = rows.tokens[0][rows.learned[0]][:-1]
    assert vision.processor.tokenizer.decode(said) == text


@pytest.mark.parametrize("shape", [(0, 4, 3), (4, 4), (4, 4, 4)], ids=str)
def test_what_is_no_picture_is_named_by_its_row(
    vision: VisionModel, shape: tuple[int, ...]
) -> None:
    with pytest.raises(BadInput) as caught:
        vision.rows([Asked("a"), Asked("b", np.zeros(shape, np.uint8))])
    assert caught.value.where == "row 1"


def test_a_picture_that_the_processor_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    vision = open_vision_model(save_qwen(tmp_path / "model"))
    with pytest.raises(BadInput) as caught:
        vision.rows([Asked("a"), Asked("b", picture(0, 1, 999))])
    assert caught.value.where == "row 1"


PIECES = ["<image>", "<|end|>", "<|assistant|>", "<|pad|>", "<", "|", ">", "<ima", "ge>", " ", "\n",
          "\0", "\r", "{{ 1 }}", "{% if %}", "é", "a\u0301", "日", "🙂", "\ud800"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), st.booleans())
@settings(max_examples=60, deadline=None)
def test_no_text_moves_a_mark(vision: VisionModel, text: str, pictured: bool) -> None:
    """Marks stand where they stand beside a plain word, whatever is written, asked or answered."""
    shown_picture = picture() if pictured else None
    words = vision.processor.tokenizer
    marks = {words.convert_tokens_to_ids(mark) for mark in words.get_added_vocab()}
    turns = [Asked(text or "b", shown_picture, text or "b"), Asked("b", shown_picture, "b")]
    rows = [vision.rows([turn]).tokens[0].tolist() for turn in turns]
    kept, plain = ([token for token in row if token in marks] for row in rows)
    assert kept == plain


@given(st.text("aé日🙂<|> \n\t{}%'\"\\\\", min_size=1, max_size=20))
@settings(max_examples=40, deadline=None)
def test_what_is_learned_reads_as_the_answer(vision: VisionModel, text: str) -> None:
    rows = vision.rows([Asked("say", answer=text)])
    said = vision.processor.tokenizer.decode(
        rows.tokens[0][rows.learned[0]][:-1], clean_up_tokenization_spaces=False
    )
    assert said == text
    assert rows.tokens[0][-1] == vision.prompts.ends[0] and rows.learned[0, -1]


def test_rows_are_those_of_each_turn(vision: VisionModel) -> None:
    turns = [
        Asked("a", picture(0), "b"),
        Asked("long " * 9),
        Asked("", picture(1)),
        Asked("c", None, "d"),
    ]
    rows = vision.rows(turns)
    assert rows.held.tolist() == [1, 0, 1, 0]
    for row, turn in enumerate(turns):
        alone = vision.rows([turn])
        assert rows.tokens[row][rows.mask[row]].tolist() == alone.tokens[0].tolist()
        assert rows.learned[row][rows.mask[row]].tolist() == alone.learned[0].tolist()
        for name, tensor in rows.take(row, row + 1).pictures.items():
            assert (tensor == alone.pictures[name]).all()
    assert len(vision.rows([])) == 0


def test_arrays_may_lie_in_any_order(vision: VisionModel) -> None:
    """Turned, mirrored, cut out, or not to be written to: what they show counts."""
    plain = picture()
    locked = plain.copy()
    locked.setflags(write=False)
    for one in (plain[::-1], plain[:, ::-1], plain[::2, 1::3], np.asfortranarray(plain), locked,
                plain[..., ::-1], np.broadcast_to(plain[:1, :1], plain.shape)):  # fmt: skip
        given_ = vision.rows([Asked("a", one)]).pictures["pixel_values"]
        copied = vision.rows([Asked("a", np.array(one, order="C"))]).pictures["pixel_values"]
        assert (given_ == copied).all()


@pytest.mark.parametrize("sides", [(1, 1), (1, 300), (300, 1), (2, 3), (999, 7)])
def test_pictures_of_any_sides_take_as_many_marks(
    vision: VisionModel, sides: tuple[int, int]
) -> None:
    rows = vision.rows([Asked("a", picture(0, *sides))])
    assert int((rows.tokens == vision.mark).sum()) == vision.image_tokens
    assert rows.pictures["pixel_values"].isfinite().all()


@pytest.mark.parametrize(
    "template", ["{{ raise_exception('no') }}", "{{ 1 / 0 }}", "{{ a.b.c }}", "{% x %}"]
)
def test_a_template_that_fails_is_named(
    vision: VisionModel, template: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadInput) as caught:
        templated(vision, template, monkeypatch)
        vision.rows([Asked("a", picture())])
    assert caught.value.where == "here"
