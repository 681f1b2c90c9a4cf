"""The user half of HLLM: causal, without a token table, and rebuilt from its shape alone."""

import json
from pathlib import Path

import pytest
import torch

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.user_llm import (
    fresh_user_model,
    keep_user_model,
    kept_user_model,
    user_model,
)


def test_both_read_vectors_alone(llama: Path) -> None:
    for model in (fresh_user_model(16, 2, 2, 8, 0.0), user_model(str(llama), 8)):
        assert not [name for name, _ in model.named_parameters() if "embed_tokens" in name]
        x = torch.randn(2, 5, 16)
        assert model(inputs_embeds=x).last_hidden_state.shape == (2, 5, 16)


def test_a_model_that_reads_what_comes_later_is_refused(bert: Path) -> None:
    with pytest.raises(BadInput, match="reads what comes later") as caught:
        user_model(str(bert), 8)
    assert caught.value.where == "--model.user-model"


def test_a_history_longer_than_the_model_reads_is_refused(llama: Path) -> None:
    with pytest.raises(BadInput, match="64 positions, not 65"):
        user_model(str(llama), 65)


def test_a_shape_is_kept_without_its_folder(llama: Path, tmp_path: Path) -> None:
    model, path = user_model(str(llama), 8), tmp_path / "user_model.json"
    keep_user_model(model, tmp_path)
    assert str(llama) not in path.read_text()
    again = kept_user_model(tmp_path, 20)
    again.load_state_dict(model.state_dict())
    x = torch.randn(2, 5, 16)
    with torch.no_grad():
        said = [one(inputs_embeds=x).last_hidden_state for one in (model, again)]
    torch.testing.assert_close(*said)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"num_hidden_layers": 10**6}, ArtefactError),
        ({"model_type": "trap", "auto_map": {"AutoModel": "trap.Model"}}, BadInput),
        ({"hidden_size": "x"}, BadInput),
    ],
)
def test_a_kept_shape_is_read_as_any_foreign_one(
    llama: Path, tmp_path: Path, values: dict[str, object], kind: type[Exception]
) -> None:
    keep_user_model(user_model(str(llama), 8), tmp_path)
    path = tmp_path / "user_model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
    with pytest.raises(kind, match="."):
        kept_user_model(tmp_path, 20)
