"""The joint loss on a real, tiny model: what equals what, and what learns."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.distributed

from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.embed.contrastive import contrastive_loss
from tastemaker.errors import BadInput
from tastemaker.models.vlm_embedding import Embedding
from tastemaker.models.vlm_vectors import PictureTextEncoder
from tastemaker.seams import Paced, Step, Steps
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.train.step import Trainer, adamw
from tests.embed.small import batches, gradients, some_model, some_pairs

QUICK = FitConfig(epochs=2, lr=3e-3, warmup=0, clip=1e9, patience=0)


def alike(model: CAFe, **options) -> CAFe:
    """The same weights under other options."""
    other = some_model(dataclasses.replace(model.config, **options))
    other.load_state_dict(model.state_dict())
    return other


def first(model: CAFe, **options):
    return next(iter(batches(model, **options).epoch(0)))


def apart(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> float:
    """Largest difference, in parts of the largest number where that is above 1."""
    assert ours.keys() == theirs.keys()
    largest = max(1.0, *(float(tensor.abs().max()) for tensor in theirs.values()))
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours) / largest


def trained(model: CAFe, config: FitConfig = QUICK, **options) -> dict[str, torch.Tensor]:
    steps = iter(range(99))
    fit(model, batches(model, **options), config, lambda: {"ndcg@10": float(next(steps))})
    return model.state_dict()


def test_what_is_trained_stands_at_the_seams():
    model = some_model()
    steps: Steps = batches(model)
    step: Step = next(iter(steps.epoch(0)))
    assert isinstance(model, Paced) and step.target_count == 6 and len(steps) == 2


def test_without_the_contrastive_loss_it_is_plain_fine_tuning_bit_for_bit():
    """The same steps by hand: the loss of answers, AdamW, nothing else."""
    ours = some_model(CAFeConfig(alpha_con=0))
    plain = some_model(CAFeConfig(alpha_con=0))
    trained(ours)
    optimizer = adamw(plain, QUICK)
    for epoch in range(QUICK.epochs):
        for step in batches(plain, vectors=False).epoch(epoch):
            plain.train()
            total, tokens = plain.vision.answer_loss(step.told)
            optimizer.zero_grad(set_to_none=True)
            (total / tokens).backward()
            optimizer.param_groups[0]["lr"] = QUICK.lr
            optimizer.param_groups[1]["lr"] = QUICK.lr * plain.config.vision_lr
            torch.nn.utils.clip_grad_norm_(plain.parameters(), QUICK.clip)
            optimizer.step()
    for name, tensor in plain.state_dict().items():
        assert torch.equal(ours.state_dict()[name], tensor), name


def test_the_loss_of_answers_is_that_of_the_library():
    model = some_model()
    step = first(model)
    labels = step.told.tokens.where(step.told.learned, -100)
    given = {"input_ids": step.told.tokens, "attention_mask": step.told.mask.long()}
    with torch.no_grad():
        library = model.vision.model(**given, **step.told.pictures, labels=labels).loss
        ours = model.losses(step)["lm"]
    assert float(ours) == pytest.approx(float(library), abs=1e-5)


def test_without_the_loss_of_answers_only_vectors_are_learned():
    model = some_model(CAFeConfig(alpha_lm=0))
    step = first(model)
    alone = gradients(model, model.loss(step))
    pictures = model.vectors(step.pictures, "picture")
    texts = model.vectors(step.texts, "text")
    known = gradients(model, contrastive_loss(pictures, texts, 20.0))
    assert apart(alone, known) == 0
    other = [dataclasses.replace(pair, turns=(("What?", "no"),)) for pair in some_pairs()]
    assert apart(alone, gradients(model, model.loss(first(model, pairs=other)))) < 1e-6


def test_the_parts_of_the_loss_add_up():
    model = some_model(CAFeConfig(alpha_con=0.3, alpha_lm=2.0))
    step = first(model)
    with torch.no_grad():
        parts, whole = model.losses(step), model.loss(step)
    assert float(whole) == pytest.approx(0.3 * float(parts["con"]) + 2 * float(parts["lm"]))


@pytest.mark.parametrize("chunk", [1, 2, 4])
@pytest.mark.parametrize("wrong", [0, 2])
def test_gradients_in_chunks_are_those_of_the_whole(chunk, wrong):
    model = some_model(CAFeConfig(learnable_scale=True, hardness_alpha=0.5))
    pairs = some_pairs()
    texts = [pair.text for pair in pairs]
    pairs = [
        dataclasses.replace(pair, negatives=tuple(texts[: wrong * (row % 2)]))
        for row, pair in enumerate(pairs)
    ]
    step = first(model, pairs=pairs, turns=2)
    other = alike(model, gradcache_chunk=chunk)
    ours, theirs = (gradients(one, one.loss(step)) for one in (other, model))
    assert apart(ours, theirs) < 1e-5
    with torch.no_grad():
        assert float(other.loss(step)) == pytest.approx(float(model.loss(step)), abs=1e-5)


def test_a_larger_step_has_more_negatives_and_several_small_ones_have_not():
    """Accumulating gradients does not tell a picture from those of other steps (spec R5)."""
    model = some_model()
    with torch.no_grad():
        wide = float(model.losses(first(model, batch=12))["con"])
        small = [float(model.losses(step)["con"]) for step in batches(model, batch=3).epoch(0)]
    assert wide > np.mean(small) + 0.5


def test_a_picture_goes_through_the_tower_once_a_step(monkeypatch):
    model = some_model()
    once, again = first(model, turns=1), first(model, turns=2)
    assert once.shared and not again.shared
    calls = []
    tower = model.vision.tower
    handle = tower.register_forward_hook(lambda *_: calls.append(1))
    shared = gradients(model, model.loss(once))
    assert len(calls) == 1
    apart_from = gradients(model, model.loss(dataclasses.replace(once, shared=False)))
    handle.remove()
    assert len(calls) == 3
    assert apart(shared, apart_from) < 1e-6


@pytest.mark.parametrize("learnable", [False, True])
def test_shares_of_processes_add_up_to_the_step(monkeypatch, learnable):
    """What each process would gather is handed to it; the real thing is in test_cafe_processes."""
    model = some_model(CAFeConfig(learnable_scale=learnable))
    texts = [pair.text for pair in some_pairs()]
    pairs = [dataclasses.replace(pair, negatives=(texts[0],)) for pair in some_pairs()]
    step = first(model, pairs=pairs, batch=7)
    whole = gradients(model, model.loss(step))
    parts = [step.parts(rank, 2)[0] for rank in range(2)]
    assert [len(part.pictures) for part in parts] == [3, 4]
    with torch.no_grad():
        held = {
            side: [model.vectors(getattr(part, f"{side}s"), side) for part in parts]
            for side in ("picture", "text")
        }
        wrong = [model._hard(part) for part in parts]
    order = [
        held["picture"],
        held["text"],
        [one.flatten(1) for one, _ in wrong],
        [one.float() for _, one in wrong],
    ]
    total: dict[str, torch.Tensor] = {}
    value = 0.0
    for part in parts:
        turn = iter(order)

        def gather(outs, mine, turn=turn):
            for out, rows in zip(outs, next(turn), strict=True):
                out[: len(rows)] = rows

        monkeypatch.setattr(torch.distributed, "all_gather", gather)
        loss = model.loss(part)
        value += float(loss.detach())
        for name, one in gradients(model, loss).items():
            total[name] = total.get(name, 0) + one
    assert apart(total, whole) < 1e-5
    assert value == pytest.approx(float(model.loss(step).detach()), abs=1e-5)


def test_without_gathering_negatives_are_those_of_each_process():
    model = some_model(CAFeConfig(gather=False, alpha_lm=0))
    step = first(model, batch=6)
    with torch.no_grad():
        shares = [model.loss(step.parts(rank, 2)[0]) for rank in range(2)]
        halves = []
        for part in (step.parts(rank, 2)[0] for rank in range(2)):
            some = model.vectors(part.pictures, "picture"), model.vectors(part.texts, "text")
            halves.append(contrastive_loss(*some, 20.0))
    assert float(sum(shares)) == pytest.approx(float(sum(halves)) / 2, abs=1e-5)


def test_equal_texts_and_equal_pictures_are_no_negatives():
    model = some_model(CAFeConfig(alpha_lm=0))
    pairs = some_pairs(4)
    twice = [pairs[0], dataclasses.replace(pairs[1], text=pairs[0].text)]
    with torch.no_grad():
        assert float(model.loss(first(model, pairs=twice, batch=2))) == 0
        named = [dataclasses.replace(pair, content="one") for pair in pairs[:2]]
        assert float(model.loss(first(model, pairs=named, batch=2))) == 0
        counted = alike(model, mask_equal=False)
        assert float(counted.loss(first(counted, pairs=twice, batch=2))) > 0


def test_training_lowers_both_losses_and_the_tower_learns_slower():
    model = some_model()
    shares = [group["share"] for group in model.parameter_groups()]
    assert shares == [1.0, 0.5]
    step = first(model)
    with torch.no_grad():
        before = {name: float(one) for name, one in model.losses(step).items()}
    trained(model, dataclasses.replace(QUICK, epochs=20, lr=2e-3, clip=5.0))
    with torch.no_grad():
        after = {name: float(one) for name, one in model.losses(step).items()}
    assert after["con"] < 0.9 * before["con"] and after["lm"] < 0.8 * before["lm"]


def test_a_tower_that_is_to_stay_stays_and_maps_for_each_side_learn():
    model = some_model(CAFeConfig(vision_lr=0, embedding=Embedding(heads=True)))
    before = {name: one.clone() for name, one in model.state_dict().items()}
    trained(model)
    moved = {name for name, one in model.state_dict().items() if not torch.equal(before[name], one)}
    assert not any("vision_tower" in name for name in moved)
    assert {"reader.heads.picture.weight", "reader.heads.text.weight"} <= moved


def test_with_adapters_the_model_itself_stays_and_is_written_with_them(tmp_path):
    model = some_model(CAFeConfig(lora=2))
    assert all("lora_" in name for name, one in model.named_parameters() if one.requires_grad)
    step = first(model)
    for _ in range(2):  # the first step moves B alone
        Trainer(model, adamw(model, QUICK), 5.0).step(step, 1e-2)
    model.eval()
    with torch.no_grad():
        ours = model.vectors(step.texts, "text")
        model.vision.save(tmp_path)
        theirs = PictureTextEncoder(tmp_path).vision.states(step.texts)
        untrained = some_model().vectors(step.texts, "text")
    read = model.reader(theirs, step.texts.mask, "text")
    assert float((read - ours).abs().max()) < 1e-5 < float((untrained - ours).abs().max())


@pytest.mark.parametrize(
    "options",
    [
        {"alpha_con": -1.0},
        {"alpha_con": 0.0, "alpha_lm": 0.0},
        {"scale": 0.0},
        {"scale": float("nan")},
        {"gradcache_chunk": -1},
        {"gradcache_chunk": 1.5},
        {"lora": 0.5},
        {"hardness_alpha": float("inf")},
        {"vision_lr": -0.1},
    ],
)
def test_options_that_cannot_be_learnt_with_are_refused(options):
    name = next(iter(options))
    with pytest.raises(BadInput, match=name) as caught:
        CAFeConfig(**options)
    assert caught.value.where == f"--{name.replace('_', '-')}"


def test_adapters_larger_than_the_model_are_refused():
    with pytest.raises(BadInput, match="33 are larger") as refused:
        some_model(CAFeConfig(lora=33))
    assert refused.value.where == "--lora" and "32" in refused.value.fix
