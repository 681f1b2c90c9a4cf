"""A whole run over the released mock data, every score worked out by hand.

The data have E+, I+ and I-. What the model cites, what the judge calls relevant, and what follows
(E+, I+, I- of the relevant items; verified or not):

    user 1  Making Music       1 2 3 9       1 2 3 9       4 0 0  yes   Instrumental Music
            Outdoor Adventure  4 5 6 10      4 6 10        1 2 0  yes   Hiking
            Winter Survival    6 10 999      6             0 1 0  no    Hiking
    user 2  Machine Learning   12 13 17      12 13 17      3 0 0  yes   Artificial Intelligence
            Programming        11 16         11 16         2 0 0  yes   Software & Apps
            Team Sports        14 15         14            0 1 0  no    OTHER
    user 3  Painting           19 20 21 23   all           4 0 0  yes   Drawing & Painting
            Photography Tips   21 22         21 22         1 1 0  no    Photography
            Digital Art        21 23         21 23         2 0 0  yes   A.I. Art, not in O

The ids of Programming and Team Sports are written as numbers, which match nothing in `reference`
mode: there they cite nothing.
Users have 7, 5 and 4 categories in O, among them all of these that are not said to be elsewhere.
"""

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.declaration import POLARITIES, Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.replies import Conversation
from tastemaker.data.signals import signals
from tastemaker.models.generate import Scripted, tokens_of
from tastemaker.understand.asked import Call, Judged, Written
from tastemaker.understand.attempts import Attempts
from tastemaker.understand.extract import ExtractOptions, LanguageModel
from tastemaker.understand.interests import Mode
from tastemaker.understand.language_judge import JudgeOptions, LanguageJudge
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.prompts import sha256_of
from tastemaker.understand.scores import UserScore, check, score_model, score_user
from tastemaker.understand.specificity import SpecificityOptions, picked
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import Taxonomy
from tests.understand.golden_tables import CATEGORIES, CITED, PICKS, RELEVANT
from tests.understand.scripted_judge import Seen, said, see


@pytest.fixture(scope="module")
def mock(shared_data: Path) -> Task:
    folder = shared_data / "gistbench"
    if not (folder / "mock_dataset.json").is_file():
        pytest.skip("the released mock data are not here")
    rows = pl.DataFrame(json.loads((folder / "mock_dataset.json").read_text()))
    frame = rows.select(
        "user_id",
        pl.col("object_id").alias("item_id"),
        pl.col("interaction_time").cast(pl.Int64).alias("timestamp"),
        pl.col("interaction_type").alias("event"),
    )
    counted = signals(
        Interactions.from_frame(frame), Declaration(events={kind: kind for kind in POLARITIES})
    )
    texts = dict(zip(rows["object_id"], rows["object_text"], strict=True))
    taxonomy = Taxonomy.open(folder / "categories.csv")
    oracle = Oracle.open(folder / "mock_oracle.json")
    return Task("mock", counted, texts, "videos", taxonomy, oracle)


def model_of(task: Task) -> Scripted:
    """Writes what `CITED` says of the user whose history it is shown."""

    def says(conversation: Conversation, repeat: int) -> str:
        first = see(conversation).blocks["history"][0][1:].split("]")[0]
        (user,) = [one.user for one in task.users() if first in one.items]
        rows = [
            {"interest": name, "item_ids": ids} for one in CITED[user] for name, ids in one.items()
        ]
        return f"```json\n{json.dumps(rows)}\n```"

    return Scripted(says, "the model")


def judge_of(task: Task) -> Scripted:
    """Answers by the tables above, but never says which paintings, nor what overlaps ML."""
    ids = {text: item for item, text in task.texts.items()}

    def picks(seen: Seen, shown: list[str]) -> str:
        cited = {str(item) for several in CITED.values() for one in several
                 for item in one.get(seen.name, [])}  # fmt: skip
        others = [item for item in shown if item not in cited]
        wanted = PICKS[seen.name].replace("x", others[0]).replace("y", others[1])
        return said([shown.index(item) for item in wanted.split()])

    def says(conversation: Conversation, repeat: int) -> str:
        seen = see(conversation)
        if seen.purpose == "categories":
            names = [line.split(": ") for line in seen.blocks["interests"]]
            return "\n".join(f"{number}: {CATEGORIES[name]}" for number, name in names)
        shown = [ids[text] for text in seen.texts]
        if seen.purpose == "unrelated":
            if "- Machine Learning" in seen.blocks["interests"]:
                return "Hard to tell."
            names = {line[2:] for line in seen.blocks["interests"]}
            own = {item for name in names for item in RELEVANT[name].split()}
            return said([number for number, item in enumerate(shown) if item in own])
        if seen.purpose == "relevant":
            own = set(RELEVANT[seen.name].split())
            return said([number for number, item in enumerate(shown) if item in own])
        return "I would rather not say." if seen.name == "Painting" else picks(seen, shown)

    return Scripted(says, "the judge")


def run(
    task: Task, model: Scripted, judge: LanguageJudge, mode: Mode
) -> tuple[list[UserScore], list[Written], list[Judged]]:
    users = list(task.users())
    options = ExtractOptions(noun=task.noun, mode=mode)
    written = LanguageModel(model, "m", task.texts, options).write(users)
    interests = [one.extracted.interests for one in written]
    judged = judge.judge(users, interests)
    names = [one.name for several in interests for one in several]
    categories = iter(judge.categories(names))
    assert task.oracle is not None
    scores = []
    for user, own, verdict in zip(users, interests, judged, strict=True):
        checked = check(user, own, [next(categories) for _ in own], verdict.relevant)
        counted = [
            replace(one, picked=None if said is None else picked(up, said, one.relevant, mode))
            for one, up, said in zip(checked, verdict.line_ups, verdict.picks, strict=True)
        ]
        known = task.oracle.users[user.user]
        scores.append(score_user(user.user, counted, known, True, mode))
    return scores, written, judged


def harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other)


def by_hand(mode: Mode) -> dict[str, tuple[float, ...]]:
    """IG_P, IG_R, IG_F1, IS and HM of each user, step by step."""
    strict = mode == "strict"
    # User 1: G(Instrumental Music) = 1/1; G(Hiking) = 1/2: Outdoor Adventure, not Winter Survival.
    precision_1 = (1 + 1 / 2) / 2  # Σ G / |C| = .75
    recall_1 = (1 + 1 / 2) / 7  # Σ G / |O| = .214286, both categories in O
    f1_1 = harmonic(precision_1, recall_1)  # 1/3
    # Music: 3 of 4 right. Outdoor: 4 of 4. Winter backs 6 and 10, k = 2, and names x, y, 6, 10:
    # the first 2 hold none of them (strict), all 4 hold both (reference).
    winter = 0 / 2 if strict else 2 / 2
    is_1 = (3 / 4 + (4 / 4 + winter) / 2) / 2  # .625, or .875
    # User 2: G = 1, 1, 0 (OTHER) in strict mode; without numbers as ids, G = 1, 0, 0.
    verified = 2 if strict else 1
    precision_2 = verified / 3  # OTHER counts in |C|
    recall_2 = verified / 5
    f1_2 = harmonic(precision_2, recall_2)  # .5, or .25
    # ML: 3 of 3. Programming: 1 of 2, but k = 0 in the reference, whose G is 0 then. Team Sports: 2
    # of 2, of a category without a verified interest, which does not count.
    is_2 = (3 / 3 + 1 / 2) / 2 if strict else 3 / 3
    # User 3: G(Drawing & Painting) = 1, G(Photography) = 0, G(A.I. Art) = 1, which is not in O.
    precision_3 = 2 / 3
    recall_3 = 1 / 4 if strict else 2 / 4
    f1_3 = harmonic(precision_3, recall_3)  # 4/11, or 4/7
    # Painting: no reply that can be read, 0. Digital Art: 2 of 2. Photography is not verified.
    is_3 = (0 + 2 / 2) / 2
    rows = [
        (precision_1, recall_1, f1_1, is_1),
        (precision_2, recall_2, f1_2, is_2),
        (precision_3, recall_3, f1_3, is_3),
    ]
    return {user: (*row, harmonic(row[2], row[3])) for user, row in zip("123", rows, strict=True)}


@pytest.mark.parametrize(
    ("mode", "hm"),
    [
        # 2 (1/3) .625 / .958333; 2 .5 .75 / 1.25; 2 (4/11) .5 / .863636
        ("strict", (0.434783, 0.6, 0.421053)),
        # 2 (1/3) .875 / 1.208333; 2 .25 1 / 1.25; 2 (4/7) .5 / 1.071429
        ("reference", (0.482759, 0.4, 0.533333)),
    ],
)
def test_scores_are_those_worked_out_by_hand(mock: Task, mode: Mode, hm: tuple[float, ...]) -> None:
    model, script = model_of(mock), judge_of(mock)
    sizes = SpecificityOptions(pool=25, size=10, backing=5)
    judge = LanguageJudge(script, "j", mock, JudgeOptions(Attempts(mode=mode), sizes))
    scores, written, judged = run(mock, model, judge, mode)
    want = by_hand(mode)
    for score, harmonic_mean in zip(scores, hm, strict=True):
        found = [score.numbers[name] for name in ("ig_p", "ig_r", "ig_f1", "is", "hm")]
        assert found == pytest.approx(want[score.user], abs=1e-9), score.user
        assert found[-1] == pytest.approx(harmonic_mean, abs=1e-6)
    assert score_model(scores, mode=mode).means["hm"] == pytest.approx(sum(hm) / 3, abs=1e-6)
    assert [one.unfiltered for one in judged] == [0, 1, 0], "nothing said what overlaps ML"
    assert judged[2].picks[0] is None and judged[2].relevant[0] is not None
    written_calls = [call for one in written for call in one.calls]
    judged_calls = [*(call for one in judged for call in one.calls), *judge.category_calls]
    assert_complete(written_calls, model)
    assert_complete(judged_calls, script)
    purposes = ["relevant", "unrelated", "pick", "categories"]
    assert sorted({call.purpose for call in judged_calls}) == sorted(purposes)


def assert_complete(calls: list[Call], model: Scripted) -> None:
    """Every question that was asked is logged with every reply and its tokens."""
    replies = [reply for call in calls for reply in call.replies]
    assert len(replies) == len(model.asked)
    asked = {sha256_of(ask.conversation) for ask in model.asked}
    assert {call.prompt_sha256 for call in calls} <= asked
    read = sum(tokens_of(message["content"]) for ask in model.asked for message in ask.conversation)
    assert sum(reply.prompt_tokens for reply in replies) == read
    assert all(reply.tokens == tokens_of(reply.text) > 0 for reply in replies)


def test_line_ups_show_nothing_else_that_the_user_met(mock: Task) -> None:
    sizes = SpecificityOptions(pool=25, size=10, backing=5)
    judge = LanguageJudge(judge_of(mock), "j", mock, JudgeOptions(line_ups=sizes))
    _, _, judged = run(mock, model_of(mock), judge, "strict")
    for user, verdict in zip(mock.users(), judged, strict=True):
        for line_up in verdict.line_ups:
            assert len(line_up.items) == 10
            assert set(line_up.items) & set(user.items) == line_up.backing
