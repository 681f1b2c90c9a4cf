"""What the scripted model and judge of the golden run say of the released mock data."""

CITED: dict[str, list[dict[str, list[str] | list[int]]]] = {
    "1": [
        {"Making Music": ["1", "2", "3", "9"]},
        {"Outdoor Adventure": ["4", "5", "6", "10"]},
        {"Winter Survival": ["6", "10", "999"]},
    ],
    "2": [
        {"Machine Learning": ["12", "13", "17"]},
        {"Programming": [11, 16]},
        {"Team Sports": [14, 15]},
    ],
    "3": [
        {"Painting": ["19", "20", "21", "23"]},
        {"Photography Tips": ["21", "22"]},
        {"Digital Art": ["21", "23"]},
    ],
}
RELEVANT = {
    "Making Music": "1 2 3 9",
    "Outdoor Adventure": "4 6 10",
    "Winter Survival": "6",
    "Machine Learning": "12 13 17",
    "Programming": "11 16",
    "Team Sports": "14",
    "Painting": "19 20 21 23",
    "Photography Tips": "21 22",
    "Digital Art": "21 23",
}
PICKS = {  # `x` and `y`: the first and second item shown that the interest does not cite
    "Making Music": "1 2 3 x",
    "Outdoor Adventure": "4 5 6 10",
    "Winter Survival": "x y 6 10",
    "Machine Learning": "12 13 17",
    "Programming": "11 x",
    "Team Sports": "14 15",
    "Photography Tips": "x y",
    "Digital Art": "23 21",
}
CATEGORIES = {
    "Making Music": "Instrumental Music",
    "Outdoor Adventure": "Hiking",
    "Winter Survival": "Hiking",
    "Machine Learning": "Artificial Intelligence",
    "Programming": "Software & Apps",
    "Team Sports": "OTHER",
    "Painting": "Drawing & Painting",
    "Photography Tips": "Photography",
    "Digital Art": "A.I. Art",
}
