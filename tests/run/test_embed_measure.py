"""What is measured: ranks of different pictures, losses one by one, chance by counting."""

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.data.item_pictures import ItemPictures, Wanted
from tastemaker.data.picture_rows import read_item_pictures
from tastemaker.embed.cafe import CAFe
from tastemaker.embed.retrieval import ranks
from tastemaker.errors import NumericFault
from tastemaker.models.picture_files import looked_at
from tastemaker.models.tiny_vlm import tiny_vision_model
from tastemaker.models.vlm_rows import Asked
from tastemaker.run.embed_measure import LONGEST, chances, measured, validated
from tests.run.embedded import SHAPE, squares


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> ItemPictures:
    folder = squares(tmp_path_factory.mktemp("squares"), 7)
    with (folder / "items.csv").open("a") as table:
        table.write("i7,0.png,another name of the first\n")
    return read_item_pictures(folder, Wanted(), looked_at)


@pytest.fixture(scope="module")
def cafe(items: ItemPictures) -> CAFe:
    return CAFe(tiny_vision_model(SHAPE, items.texts)).eval()


def test_pictures_are_counted_once_and_every_text_is_measured(
    items: ItemPictures, cafe: CAFe
) -> None:
    found = measured(cafe, items, "What?", written=3)
    assert found.pictures.shape == (7, 32) and found.texts.shape == (8, 32)
    assert len(found.told.sums) == 8 and len(found.written) == 3
    cells = found.cells(items)
    for name in ("t2i_recall@1", "i2t_recall@10", "perplexity", "exact"):
        low, high = cells[name]["ci95"]
        assert low <= cells[name]["mean"] <= high, name
    assert cells["i2t_recall@10"]["mean"] == 1 and 0 <= cells["gap"]["mean"] <= 2


def test_validation_says_the_same_as_the_measures(items: ItemPictures, cafe: CAFe) -> None:
    cells = measured(cafe, items, "What?", written=0).cells(items)
    told = validated(cafe, items, "What?")
    both = (cells["t2i_recall@1"]["mean"] + cells["i2t_recall@1"]["mean"]) / 2
    assert told["recall@1"] == pytest.approx(both)
    assert told["perplexity"] == pytest.approx(cells["perplexity"]["mean"], rel=1e-4)
    assert told["joint"] == pytest.approx((told["recall@1"] + told["likelihood"]) / 2)
    assert "exact" not in cells


def test_captions_are_as_long_as_there_is_room(items: ItemPictures, cafe: CAFe) -> None:
    """A prompt that leaves less than the usual length still has captions written behind it."""
    prompt = "What? " * 4
    room = cafe.vision.most_tokens - int(
        cafe.vision.rows([Asked(prompt, np.zeros((16, 16, 3), np.uint8))]).mask.sum()
    )
    assert 0 < room < LONGEST
    assert len(measured(cafe, items, prompt, written=2).written) == 2


def test_chance_is_what_random_vectors_reach(items: ItemPictures) -> None:
    rng, many = np.random.default_rng(0), 4000
    _, owners = np.unique(np.array(items.hashes), return_inverse=True)
    sums: dict[str, float] = {}
    for _ in range(many):
        pictures, texts = rng.standard_normal((7, 16)), rng.standard_normal((8, 16))
        for name, value in ranks(pictures, texts, owners, items.texts).recall((1, 5)).items():
            sums[name] = sums.get(name, 0) + value / many
    told = chances(items)
    for name, value in sums.items():
        assert told[name] == pytest.approx(value, abs=0.02), name
    assert told["t2i_recall@10"] == 1


def test_a_model_that_came_apart_is_a_numeric_fault(items: ItemPictures) -> None:
    broken = CAFe(tiny_vision_model(SHAPE, items.texts)).eval()
    with torch.no_grad():
        broken.vision.model.get_input_embeddings().weight.fill_(torch.nan)
    with pytest.raises(NumericFault):
        validated(broken, items, "What?")
