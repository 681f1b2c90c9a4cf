"""`profile`: what is asked for, what is shown, what is refused."""

import json
from pathlib import Path

import pytest

from tastemaker.cli import main
from tastemaker.commands.profile import show_profile
from tastemaker.files import JsonObject


def interest(name: str, **known: object) -> JsonObject:
    proof = {"item": "1", "title": "A [red] film\x1b[2J", "polarities": ["explicit_positive"]}
    return {
        "name": name, "verdict": "verified", "counts": {"explicit_positive": 4}, "evidence": {},
        "items": [proof], "against": [], "share": 0.5, "others": 0.25, "lift": 2.0,
        "strength": 3.0, "sentence": "", "cited": [], "own": True, **known,
    }  # fmt: skip


def answer(**known: object) -> JsonObject:
    return {
        "user": "7", "known": True, "kinds": [], "counts": {"explicit_positive": 8}, "items": 8,
        "interests": [], "dislikes": [], "notes": [], "rule": "", "summary": "", "model": "",
        **known,
    }  # fmt: skip


def shown(capsys: pytest.CaptureFixture[str], **known: object) -> str:
    show_profile(answer(**known))
    return capsys.readouterr().out


def test_interests_stand_by_how_far_they_are_proved(capsys: pytest.CaptureFixture[str]) -> None:
    interests = [
        interest("Sci-Fi"),
        interest("Drama", own=False, lift=None, others=0.0),
        interest("War", verdict="mixed"),
        interest("Western", verdict="too little"),
    ]
    hated = interest("Horror", counts={"explicit_positive": 0, "explicit_negative": 3}, share=0.0)
    out = shown(capsys, interests=interests, dislikes=[hated], notes=["Mind this."], rule="So.")
    names = ["User 7: 8 items, 8 liked", "Sci-Fi", "Drama", "War", "Western", "Horror", "Mind this"]
    places = [out.index(name) for name in (*names, "So.")]
    assert places == sorted(places)
    assert out.count("of others'") == 4
    assert "50% of their items, 25% of others'" in out
    assert "none of others'" in out
    assert "as much against it" in out
    assert "3 disliked\n" in "\n".join(line.rstrip() for line in out.splitlines())
    assert "A [red] film" in out
    assert "\x1b" not in out


def test_words_are_shown_as_the_models(capsys: pytest.CaptureFixture[str]) -> None:
    worded = interest("Sci-Fi", sentence="Likes space.", cited=[{"title": "Alien"}])
    out = shown(capsys, interests=[worded], summary="A fan.", model="a-model")
    assert "In the words of a-model: “A fan.”" in out
    assert "unchecked" in out
    assert "unchecked" not in shown(capsys, interests=[interest("Sci-Fi")])
    assert "“Likes space.” (Alien)" in out


def test_a_run_answers(capsys: pytest.CaptureFixture[str], finished_run: Path) -> None:
    words = ["profile", str(finished_run), "--user", "u1"]
    assert main([*words, "--json", "-k", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["known"]
    assert len(found["interests"]) == 2
    assert found["interests"][0].keys() == interest("").keys()
    assert found.keys() == answer().keys()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert found["interests"][0]["name"] in out
    assert "verified" in out
    assert main(["profile", str(finished_run), "--user", "nobody"]) == 0
    assert "not in the data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ([], "--user"),
        (["--user", "u1", "--k", "0"], "k = 0"),
        (["--user", "u1", "--url", "http://localhost:1/v1"], "--llm"),
        (["--user", "u1", "--llm", "no-such-model"], "no-such-model"),
    ],
)
def test_what_is_refused_names_the_remedy(
    capsys: pytest.CaptureFixture[str], finished_run: Path, words: list[str], named: str
) -> None:
    assert main(["profile", str(finished_run), *words]) == 2
    err = capsys.readouterr().err
    assert named in err
    assert err.count("\n") == 1
