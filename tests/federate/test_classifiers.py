import pytest
import torch
from torch.nn import functional

from tastemaker.errors import BadInput
from tastemaker.federate.classifiers import Classifier, Cnn, Logistic, Mlp, Shape
from tastemaker.federate.client import LocalConfig, train
from tastemaker.federate.examples import Examples
from tests.federate.digits import digits

SIZES = [
    (Logistic(), (7,), 7),
    (Mlp((5, 4)), (7,), 4),
    (Mlp(()), (2, 3), 6),
    (Cnn(), (28, 28), 128),
    (Cnn((4, 8), 2, 16), (9, 6, 3), 16),
    (Cnn((4, 8), 4, 16), (1, 1, 2), 16),
]


def some(sizes: tuple[int, ...]) -> Examples:
    generator = torch.Generator().manual_seed(0)
    return Examples(torch.rand(6, *sizes, generator=generator), torch.arange(6) % 3)


@pytest.mark.parametrize(("shape", "sizes", "width"), SIZES)
def test_the_loss_is_that_of_the_outputs(shape: Shape, sizes: tuple[int, ...], width: int) -> None:
    model, data = Classifier(shape, sizes, 3), some(sizes)
    (step,) = data.batches(6, 0).epoch(0)
    outputs = model.outputs(step)
    assert outputs.logits.shape == (6, 3) and outputs.features.shape == (6, width)
    assert torch.equal(outputs.labels, step.labels)
    torch.testing.assert_close(model(step), functional.cross_entropy(outputs.logits, step.labels))
    torch.testing.assert_close(model.head(outputs.features), outputs.logits)


@pytest.mark.parametrize(("shape", "sizes", "width"), SIZES)
def test_parts_of_a_step_add_up(shape: Shape, sizes: tuple[int, ...], width: int) -> None:
    model = Classifier(shape, sizes, 3)
    (step,) = some(sizes).batches(6, 0).epoch(0)
    total = sum(model(part) for rank in range(4) for part in step.parts(rank, 4))
    torch.testing.assert_close(total, model(step))


@pytest.mark.parametrize("sizes", [(28, 28), (32, 32, 3), (224, 224, 3)])
def test_convolutions_are_small_whatever_the_image(sizes: tuple[int, ...]) -> None:
    model = Classifier(Cnn(), sizes, 10)
    assert sum(one.numel() for one in model.parameters()) < 100_000


def test_channels_come_last() -> None:
    model = Classifier(Cnn((2, 2), 2, 4), (8, 8), 2)
    image = torch.rand(3, 8, 8)
    torch.testing.assert_close(model.features(image), model.features(image[..., None]))


@pytest.mark.parametrize("sizes", [(64,), (2, 3, 4, 5)])
def test_convolutions_want_an_image(sizes: tuple[int, ...]) -> None:
    with pytest.raises(BadInput):
        Classifier(Cnn(), sizes, 2)


@pytest.mark.parametrize("shape", [Logistic(), Mlp((32,)), Cnn((8, 16), 2, 32)])
def test_each_learns_digits(shape: Shape) -> None:
    whole = digits()
    sizes = (8, 8) if isinstance(shape, Cnn) else (64,)
    data = Examples(whole.inputs.reshape(-1, *sizes)[:300], whole.labels[:300])
    torch.manual_seed(0)
    model = Classifier(shape, sizes, 10)
    train(model, data, LocalConfig(epochs=8, batch=16), 0)
    (step,) = data.batches(300, 0).epoch(0)
    assert (model.outputs(step).logits.argmax(1) == step.labels).float().mean() > 0.75
