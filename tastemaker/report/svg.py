"""SVG pictures that may stand on one page: with words, and with no identifier of another's."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ET


def finished(picture: str, words: str) -> str:
    """The same picture, without what is not drawn, with its text alternative and own ids.

    Args:
        picture: SVG text.
        words: What it shows.
    """
    root = ET.fromstring(picture)
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    _strip(root)
    mark = _mark(picture + words)
    for element in root.iter():
        for name, value in element.attrib.items():
            if name == "id":
                element.set(name, mark + value)
            elif "#" in value:
                renamed = re.sub(r"url\((['\"]?)#", rf"url(\1#{mark}", value)
                element.set(name, renamed)
    attributes = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width:g}",
        "height": f"{height:g}",
        "role": "img",
        "aria-label": words,
    }
    root.attrib.clear()
    root.attrib.update(attributes)
    return ET.tostring(root, encoding="unicode")


def _strip(root: ET.Element) -> None:
    """Drop namespaces, roles inside the picture, and shapes that draw nothing."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in [n for n in element.attrib if n == "role" or n.startswith("aria-")]:
            del element.attrib[name]
        for child in list(element):
            if child.get("display") == "none" or child.get("d", "M").endswith("M0,0h0v0h0Z"):
                element.remove(child)


def _mark(content: str) -> str:
    """A prefix for identifiers that differs between different charts."""
    return f"c{hashlib.sha256(content.encode()).hexdigest()[:10]}-"
