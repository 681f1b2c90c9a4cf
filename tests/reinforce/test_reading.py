"""Equal answers have one name in all groups, and known answers the name of what equals them."""

from tastemaker.reinforce.answers import AnswerOptions, Answers
from tastemaker.reinforce.reading import Reading


def test_names_are_those_of_equal_answers() -> None:
    with Answers(AnswerOptions(exact=True)) as answers:
        read = Reading(answers)
        groups = [["I say 5", "so 5.0", "no", "it is 7"], ["7", "7", "8", "9"]]
        rows = read(groups, [["5", None], ["10", "8"]], ["number", "number"])
    assert rows[0][0] == rows[0][1] == rows[0][4] and rows[0][2] is None and rows[0][5] is None
    assert rows[0][3] == rows[1][0] == rows[1][1]
    assert rows[1][4] not in rows[1][:4] and rows[1][5] == rows[1][2]
    assert read([["no", "none"]], [[]], ["number"]) == [[None, None]]
