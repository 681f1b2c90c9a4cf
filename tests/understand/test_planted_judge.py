"""The planted judge answers as the seam of judges asks, by what was planted."""

from tastemaker.data.signals import signals
from tastemaker.understand.interests import Interest
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.specificity import SpecificityOptions
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

WORLD = plant_users(PlantedOptions(users=2))
SIZES = SpecificityOptions(pool=60, size=12, backing=3)
USER = next(signals(WORLD.interactions(), WORLD.declared).users())


def test_relevant_are_the_cited_items_of_the_topic_and_picks_are_k_of_the_line_up() -> None:
    topic = min(WORLD.oracle[USER.user])
    name = next(iter(WORLD.catalog().frame["categories"].to_list()[(topic - 1) * 40]))
    everything = Interest(name, tuple(USER.items))
    (said,) = PlantedJudge(WORLD, sizes=SIZES).judge([USER], [[everything, Interest("Nothing")]])
    assert said.relevant == (tuple(WORLD.relevant(topic, USER.items)), ())
    assert [len(picks or ()) for picks in said.picks] == [3, 0]
    assert [(one.k, len(one.items)) for one in said.line_ups] == [(3, 12), (0, 12)]


def test_categories_are_topics_by_name() -> None:
    assert PlantedJudge(WORLD).categories(["tea", "Street Food", "no such"]) == [19, 1, 0]


def test_noise_sizes_and_mode_change_the_identity() -> None:
    judges = [
        PlantedJudge(WORLD),
        PlantedJudge(WORLD, noise=0.1),
        PlantedJudge(WORLD, noise=0.1, seed=1),
        PlantedJudge(WORLD, sizes=SIZES),
        PlantedJudge(WORLD, mode="reference"),
    ]
    assert len({judge.identity for judge in judges}) == len(judges)
