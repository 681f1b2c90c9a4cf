"""Pictures for a page: words, own identifiers, and nothing that is not drawn."""

import re
import xml.etree.ElementTree as ET

from tastemaker.report.svg import finished

SVG = "{http://www.w3.org/2000/svg}"
HEAD = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="5" role="graphics-document">'


def test_clip_paths_get_the_mark_of_their_chart() -> None:
    plain = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="1"><clipPath id="a"/>%s</svg>'
    )
    svg = plain % "<g clip-path=\"url('#a')\" fill=\"#abc\"/><path display='none'/>"
    root = ET.fromstring(finished(svg, "words"))
    clip, group = root
    assert clip.get("id") not in ("a", None)
    assert group.get("clip-path") == f"url('#{clip.get('id')}')"
    assert group.get("fill") == "#abc"


def test_a_picture_has_words_and_its_size() -> None:
    root = ET.fromstring(finished(HEAD + '<g role="x" aria-label="y"/></svg>', "two & <three>"))
    assert root.attrib == {
        "viewBox": "0 0 9 5",
        "width": "9",
        "height": "5",
        "role": "img",
        "aria-label": "two & <three>",
    }
    assert [child.attrib for child in root] == [{}]


def test_what_draws_nothing_is_left_out() -> None:
    inner = '<path d="M1,1h3"/><path d="M0,0h0v0h0Z"/><g display="none"><path d="M2,2h1"/></g>'
    root = ET.fromstring(finished(HEAD + inner + "</svg>", "words"))
    assert [path.get("d") for path in root.iter(f"{SVG}path")] == ["M1,1h3"]


def test_the_same_picture_with_other_words_has_other_identifiers() -> None:
    picture = HEAD + '<clipPath id="clip"/></svg>'
    (one,), (two,) = (re.findall(r'id="(.*?)"', finished(picture, words)) for words in ("a", "b"))
    assert one != two
    assert one.endswith("clip")
