"""Reads a page the way the report's tests need it: text, tables, attributes, balance of tags."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """A parsed page; `problems` names tags that are not balanced."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.problems: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.strong: set[str] = set()
        self.words: list[str] = []
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.problems.append(f"<{tag}> repeats an attribute")
        self.tags.append((tag, dict(attrs)))
        if tag in ("dt", "dd"):
            self.words.append(" ")
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in ("td", "th"):
            self.tables[-1][-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.problems.append(f"</{tag}> at {self.getpos()} closes another tag")

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        if "svg" not in self.open:
            self.words.append(data)
        if "strong" in self.open:
            self.strong.add(data)
        if {"td", "th"} & set(self.open):
            separator = "|" if "ends" in self._classes() or "kind" in self._classes() else ""
            self.tables[-1][-1][-1] += separator + data.strip("\n")

    def _classes(self) -> str:
        tag, attributes = self.tags[-1]
        return (attributes.get("class") or "") if self.open[-1:] == [tag] else ""

    @property
    def text(self) -> str:
        """All text outside pictures, spaces joined."""
        return " ".join("".join(self.words).split())

    @property
    def ids(self) -> list[str]:
        """Every id of the page, pictures included."""
        return [a["id"] or "" for _, a in self.tags if "id" in a]

    def table(self, corner: str, second: str) -> dict[str, list[str]]:
        """Rows by first cell of the table whose head begins with these two cells."""
        found = next(t for t in self.tables if t[0][:2] == [corner, second])
        return {row[0]: row[1:] for row in found}
