"""Simulated models are as good as planted, and the scores say so."""

import time
from dataclasses import replace
from statistics import mean

import pytest

from tastemaker.data.signals import Signals, signals
from tastemaker.errors import BadInput
from tastemaker.understand.evidence import Evidence, check_evidence, together
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.scores import ModelScore, UserScore, check, score_model, score_user
from tastemaker.understand.simulated import SIMULATED, SMALL, Model, Simulated, ask, models
from tastemaker.understand.specificity import SpecificityOptions, draw_line_up, draw_pool, picked
from tastemaker.worlds.planted_interests import PlantedOptions, PlantedUsers, plant_users

SIZES = SpecificityOptions(pool=60, size=12, backing=3)
WORLD = plant_users(PlantedOptions(users=12, length=120))
SIGNALS = signals(WORLD.interactions(), WORLD.declared)


def scored(
    model: Model,
    world: PlantedUsers = WORLD,
    found: Signals = SIGNALS,
    judge: PlantedJudge | None = None,
) -> list[UserScore]:
    judge = judge or PlantedJudge(world)
    pool, scores = draw_pool(world.texts, SIZES), []
    for user in found.users():
        interests = ask(model, user).interests
        categories = [SMALL.number(one.name) for one in interests]
        relevant = [judge.relevant(one, user) for one in interests]
        rest, judged = judge.unrelated(user, pool), []
        for one in check(user, interests, categories, relevant):
            line_up = draw_line_up(user, one.interest, rest, SIZES)
            picks = picked(line_up, judge.pick(one.interest, line_up), one.relevant)
            judged.append(replace(one, picked=picks))
        scores.append(score_user(user.user, judged, world.oracle[user.user], True))
    return scores


def evidence(model: Model, found: Signals = SIGNALS) -> Evidence:
    return together([check_evidence(user, ask(model, user).interests) for user in found.users()])


@pytest.fixture(scope="module")
def results() -> dict[str, ModelScore]:
    return {name: score_model(scored(model)) for name, model in models(WORLD).items()}


def value(results: dict[str, ModelScore], model: str, name: str) -> float:
    found = results[model].means[name]
    assert found is not None
    return found


def test_the_oracle_finds_and_proves_everything(results: dict[str, ModelScore]) -> None:
    for name in ("ig_p", "ig_r", "ig_r_raw", "is", "is_relevant", "pick_precision", "hm"):
        assert value(results, "oracle", name) == 1
    found = evidence(models(WORLD)["oracle"])
    assert (found.validity, found.type_validity, found.overused, found.failed) == (1, 1, 0, 0)
    assert {cell.exact for cell in found.counting.values()} == {1.0}


def test_the_hallucinating_model_proves_nothing(results: dict[str, ModelScore]) -> None:
    assert evidence(models(WORLD)["hallucinating"]).validity == 0
    for name in ("ig_p", "ig_r", "ig_f1", "is", "hm"):
        assert value(results, "hallucinating", name) == 0


def test_echoing_finds_everything_and_tells_nothing_apart(results: dict[str, ModelScore]) -> None:
    assert value(results, "echo everything", "ig_r") == 1
    assert value(results, "echo everything", "ig_p") < 0.25
    assert value(results, "echo everything", "is") < 0.4
    assert evidence(models(WORLD)["echo everything"]).overuse == 1


def test_no_evidence_no_score(results: dict[str, ModelScore]) -> None:
    assert value(results, "no evidence", "hm") == 0
    assert evidence(models(WORLD)["no evidence"]).validity is None


def test_the_popularity_prior_names_many_and_proves_few(results: dict[str, ModelScore]) -> None:
    model, named = models(WORLD)["popularity prior"], []
    for user in SIGNALS.users():
        topics = {SMALL.number(one.name) for one in ask(model, user).interests}
        known = WORLD.oracle[user.user]
        named.append(len(topics & known) / len(known))
    assert mean(named) > 0.5
    assert value(results, "popularity prior", "hm") < 0.2


def test_a_limited_length_costs_coverage(results: dict[str, ModelScore]) -> None:
    assert value(results, "length limited", "ig_p") > value(results, "length limited", "ig_r") + 0.1


def test_wrong_counts_show_without_a_judge_alone(results: dict[str, ModelScore]) -> None:
    assert value(results, "wrong counts", "ig_f1") == 1
    few, many = (
        evidence(models(WORLD, errors=errors)["wrong counts"]).counting for errors in (0.1, 0.6)
    )
    for kind, cell in few.items():
        assert 0 < cell.error < many[kind].error
        assert cell.exact > many[kind].exact


def test_a_noisy_judge_costs_the_oracle(results: dict[str, ModelScore]) -> None:
    noisy = score_model(scored(models(WORLD)["oracle"], judge=PlantedJudge(WORLD, noise=0.3)))
    assert noisy.means["hm"] is not None
    assert 0.2 < noisy.means["hm"] < 0.95


def test_a_thousand_users_are_scored_without_a_judge_in_a_minute() -> None:
    world = plant_users(PlantedOptions(users=1_000))
    model = models(world)["oracle"]
    start = time.process_time()
    found, scores = signals(world.interactions(), world.declared), []
    for user in found.users():
        interests = ask(model, user).interests
        check_evidence(user, interests)
        checked = check(user, interests, [SMALL.number(one.name) for one in interests])
        scores.append(score_user(user.user, checked, world.oracle[user.user], False))
    assert score_model(scores).means["ig_f1"] == 1
    assert time.process_time() - start < 60


def test_a_simulated_model_is_asked_like_any_other() -> None:
    users = list(SIGNALS.users())[:2]
    model = Simulated("echo-everything", WORLD)
    assert model.name == "echo everything"
    plain = [ask(models(WORLD)["echo everything"], user) for user in users]
    assert [one.extracted for one in model.write(users)] == plain
    assert tuple(models(WORLD)) == SIMULATED
    with pytest.raises(BadInput, match="oracle"):
        Simulated("nobody", WORLD)


def test_whatever_changes_what_a_simulated_model_writes_changes_its_identity() -> None:
    other = plant_users(PlantedOptions(users=12, length=120, seed=1))
    made = [
        Simulated("oracle", WORLD),
        Simulated("echo everything", WORLD),
        Simulated("oracle", WORLD, chunk=7),
        Simulated("oracle", WORLD, mode="reference"),
        Simulated("oracle", other),
    ]
    assert len({model.identity for model in made}) == len(made)
    assert Simulated("oracle", WORLD).identity == made[0].identity
