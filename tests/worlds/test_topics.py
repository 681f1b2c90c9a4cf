"""Topics: every text has words of its topic, unless it is ambiguous."""

import numpy as np
import pytest

from tastemaker.worlds.topics import FILLERS, TOPICS, topic_texts


@pytest.mark.parametrize(
    ("ambiguity", "least", "most"), [(0.0, 4, 4), (0.5, 1.8, 2.3), (1.0, 0, 0.2)]
)
def test_words_of_the_topic(ambiguity: float, least: float, most: float) -> None:
    texts = list(topic_texts(20, ambiguity, np.random.default_rng(0)).values())
    own = [set(words.split()) for words in TOPICS.values() for _ in range(20)]
    told = [len(words.intersection(text.split())) for words, text in zip(own, texts, strict=True)]
    assert least <= np.mean(told) <= most
    assert {len(text.split()) for text in texts} == {8}


def test_a_word_is_of_one_topic() -> None:
    words = [word for words in TOPICS.values() for word in words.split()]
    assert len(words) == len(set(words))
    assert not set(FILLERS) & set(words)
