"""A task is known by what is in it."""

from tastemaker.data.signals import signals
from tastemaker.understand.task import Task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


def planted(seed: int) -> Task:
    world = plant_users(PlantedOptions(users=3, seed=seed))
    return Task("planted", signals(world.interactions(), world.declared), world.texts)


def test_equal_tasks_have_equal_hashes() -> None:
    assert planted(0).sha256 == planted(0).sha256 != planted(1).sha256


def test_users_come_in_their_order_up_to_a_limit() -> None:
    task = planted(0)
    assert [user.user for user in task.users(2)] == [user.user for user in task.users()][:2]
    assert len(list(task.users(None))) == 3
