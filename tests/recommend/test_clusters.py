"""Clusters of texts and of users: learnt from what is trained alone, the same every time."""

import numpy as np
import pytest
import scipy.sparse as sp
from sklearn.metrics import adjusted_rand_score

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput
from tastemaker.recommend import clusters
from tastemaker.recommend.clusters import profiles_of, text_clusters, user_clusters
from tastemaker.worlds.logs import planted_groups
from tests.data.histories import contexts_of

TOPICS = ["star trek space ship", "love song piano heart", "tax law court judge"]


def some_texts(each: int = 20, seed: int = 0) -> tuple[list[str], np.ndarray]:
    """Texts of three words of a topic, and the topic."""
    rng = np.random.default_rng(seed)
    topics = np.arange(3 * each) % 3
    return [
        " ".join(rng.choice(TOPICS[topic].split(), 3, replace=False)) for topic in topics
    ], topics


def planted(users: int = 300) -> tuple[Contexts, Ground, np.ndarray]:
    """Training events, their ground, and the pair of tastes of each user."""
    world = planted_groups(users=users)
    log = world.interactions()
    train = leave_one_out(log).train()
    tastes = np.sort(world.truth["tastes"], 1) @ [10, 1]
    known = tastes[[int(user.removeprefix("u")) for user in log.user_ids]]
    return train, Ground.of(log.item_ids, world.catalog(), train), known


def test_texts_of_a_topic_are_a_cluster() -> None:
    texts, topics = some_texts()
    labels = text_clusters(texts, np.ones(60, np.bool_), 3)
    assert adjusted_rand_score(topics, labels) == 1
    np.testing.assert_array_equal(labels, text_clusters(texts, np.ones(60, np.bool_), 3))


def test_texts_without_a_known_word_are_in_none() -> None:
    texts, _ = some_texts()
    texts[4], texts[5], texts[6] = "", "unheard", "?!"
    trained = np.ones(60, np.bool_)
    trained[5] = False
    labels = text_clusters(texts, trained, 3)
    assert np.flatnonzero(labels < 0).tolist() == [4, 5, 6]


def test_what_is_not_trained_teaches_nothing_and_is_put_where_its_text_belongs() -> None:
    texts, topics = some_texts()
    trained = np.arange(60) < 45
    labels = text_clusters(texts, trained, 3)
    assert adjusted_rand_score(topics, labels) == 1
    others = texts[:45] + texts[:44:-1]
    np.testing.assert_array_equal(labels[:45], text_clusters(others, trained, 3)[:45])
    others = texts[:45] + ["tax star"] * 15
    np.testing.assert_array_equal(labels[:45], text_clusters(others, trained, 3)[:45])


def test_there_are_no_more_clusters_than_different_texts() -> None:
    labels = text_clusters(["one word", "one word", "other thing"], np.ones(3, np.bool_), 20)
    assert labels.tolist() == [0, 0, 1]
    with pytest.raises(BadInput, match="no word"):
        text_clusters(["one word", ""], np.array([False, True]), 2)


def test_many_rows_are_clustered_by_centres_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "FITTED", 30)
    texts, topics = some_texts(each=100)
    assert adjusted_rand_score(topics, text_clusters(texts, np.ones(300, np.bool_), 3)) > 0.9


@pytest.mark.parametrize("by", ["categories", "items"])
def test_users_of_one_taste_are_a_cluster(by: str) -> None:
    train, ground, tastes = planted()
    whole = sp.csr_array(sp.eye_array(ground.num_items, dtype=np.float32))
    held = ground.groupings[CATEGORY].membership if by == "categories" else whole
    labels = user_clusters(train, held, 28)
    assert adjusted_rand_score(tastes, labels) > 0.75
    np.testing.assert_array_equal(labels, user_clusters(train, held, 28))
    assert (np.diff(np.bincount(labels)) <= 0).all()


def test_users_without_training_events_are_in_none() -> None:
    train = contexts_of([[1, 1, 2], [], [3], [2, 1]])
    held = sp.csr_array(sp.eye_array(3, dtype=np.float32))
    labels = user_clusters(train, held, 2)
    assert labels.tolist() == [0, -1, 1, 0]
    assert (user_clusters(contexts_of([[], []]), held, 2) == -1).all()
    assert profiles_of(train, held).toarray().tolist() == [
        [0.5, 0.5, 0], [0, 0, 0], [0, 0, 1], [0.5, 0.5, 0],
    ]  # fmt: skip
