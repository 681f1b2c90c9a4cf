import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.federate.classifiers import Classifier, Logistic
from tastemaker.federate.evaluation import classification, predictions
from tastemaker.federate.examples import Examples

LABELS = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2])
TOLD = torch.tensor([0, 0, 0, 1, 1, 0, 2, 2])


def perfect() -> Classifier:
    """A model that says what its input says."""
    model = Classifier(Logistic(), (4,), 4)
    with torch.no_grad():
        model.head.weight.copy_(5 * torch.eye(4))
        model.head.bias.zero_()
    return model


def held_out(labels: Tensor = LABELS) -> Examples:
    return Examples(torch.eye(4)[TOLD], labels)


def test_accuracy_over_all_and_in_the_worst_class_that_is_there() -> None:
    told = classification(held_out(), 4)(perfect())
    assert told["accuracy"] == 6 / 8 and told["worst_class"] == 0.5
    assert "worst_client" not in told
    logits = 5 * torch.eye(4)[TOLD]
    loss = torch.nn.functional.cross_entropy(logits, LABELS)
    assert told["loss"] == pytest.approx(float(loss))


def test_a_client_is_weighed_by_the_classes_it_holds() -> None:
    mixes = np.array([[1.0, 0, 0, 0], [0, 0.5, 0.5, 0], [0.5, 0, 0, 0.5]])
    told = classification(held_out(), 4, mixes)(perfect())
    # class 3 is not in the test, so the last client is judged by class 0 alone
    assert told["worst_client"] == pytest.approx(min(0.75, 0.75, 0.75))
    mixes = np.array([[1.0, 0, 0, 0], [0, 1.0, 0, 0]])
    assert classification(held_out(), 4, mixes)(perfect())["worst_client"] == 0.5


def test_a_model_is_left_in_its_mode() -> None:
    model = perfect().train()
    logits, labels = predictions(model, held_out())
    assert model.training and logits.shape == (8, 4) and not logits.requires_grad
    assert sorted(labels.tolist()) == sorted(LABELS.tolist())
