"""What decides a training goes to JSON and back; weights are chosen by what is trained."""

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from tastemaker.config import from_json, to_json
from tastemaker.embed.cafe import CAFeConfig
from tastemaker.errors import BadInput
from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.run.embed_config import SELECTING, EmbedConfig, Shares, selecting
from tastemaker.train.config import FitConfig


@pytest.mark.parametrize("model", ["some/model", TinyVision(side=32)])
def test_json_and_back(model: str | TinyVision) -> None:
    config = EmbedConfig(model, cafe=CAFeConfig(alpha_lm=0.5))
    assert from_json(EmbedConfig, to_json(config), "config.json") == config


def test_weights_are_chosen_by_what_is_trained() -> None:
    chosen = [selecting(CAFeConfig(alpha_con=a, alpha_lm=b)) for a, b in ((1, 0), (0, 1), (1, 1))]
    assert tuple(chosen) == SELECTING


@pytest.mark.parametrize("share", [0.0, -0.1, 1.0, 2.0, float("nan")])
@pytest.mark.parametrize("name", ["validation", "test"])
def test_what_is_no_share_is_refused(name: str, share: float) -> None:
    with pytest.raises(BadInput, match="no share") as caught:
        Shares(**{name: share})
    assert caught.value.where == f"--{name}"


def test_a_step_of_one_pair_and_fewer_captions_than_none_are_refused() -> None:
    """A pair alone has a contrastive loss of 0: vectors would stay as they are."""
    one = FitConfig(batch=1, metric="joint")
    with pytest.raises(BadInput, match="told from no other"):
        EmbedConfig(fit=one)
    assert EmbedConfig(fit=one, cafe=CAFeConfig(alpha_con=0)).fit.batch == 1
    with pytest.raises(BadInput, match="written = -1"):
        EmbedConfig(written=-1)
