"""What is held of every page: whole, named, labelled, in order, and strict."""

from collections import Counter
from html.parser import HTMLParser

import httpx2

VOID = {"wbr", "meta", "link", "input", "img", "br", "hr", "path", "line"}
FIELDS = {"input", "select", "textarea"}


class Page(HTMLParser):
    """A page as it is read: problems are what a validator would say."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.problems: list[str] = []
        self.title = ""
        self.text = text
        self.feed(text)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.problems += [f"{name} twice at <{tag}>" for name, n in names.items() if n > 1]
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.problems.append(f"</{tag}> closes {self.open[-1:]}")
        if tag in self.open:
            while self.open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "title" and "svg" not in self.open:
            self.title += data

    def all(self, *names: str) -> list[dict[str, str]]:
        """Attributes of all tags of some names."""
        return [attrs for tag, attrs in self.tags if tag in names]

    def links(self) -> list[str]:
        """Where its links lead."""
        return [attrs["href"] for attrs in self.all("a")]


def checked(response: httpx2.Response) -> Page:
    """A page that is as every page has to be."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';") and "unsafe" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    page = Page(response.text)
    assert page.problems == [], page.problems
    assert response.text.startswith("<!doctype html>") and page.title.strip()
    assert page.all("html")[0]["lang"] == "en"
    _named(page)
    levels = [int(tag[1]) for tag, _ in page.tags if tag in ("h1", "h2", "h3", "h4")]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    for _, attrs in page.tags:
        assert "style" not in attrs and not [name for name in attrs if name.startswith("on")]
    assert all("alt" in attrs for attrs in page.all("img"))
    assert len(page.all("main")) == 1
    return page


def _named(page: Page) -> None:
    """Ids are there once, what refers to one finds it, and every field has a label."""
    ids = Counter(attrs["id"] for _, attrs in page.tags if "id" in attrs)
    assert [id for id, count in ids.items() if count > 1] == []
    for _, attrs in page.tags:
        for name in ("for", "list", "aria-labelledby", "aria-describedby", "aria-controls"):
            assert set(attrs.get(name, "").split()) <= ids.keys(), attrs
        if attrs.get("href", "").startswith("#"):
            assert attrs["href"][1:] in ids
    labelled = {attrs["for"] for attrs in page.all("label")}
    for attrs in page.all(*FIELDS):
        if attrs.get("type") != "hidden":
            assert attrs.get("id") in labelled or "aria-label" in attrs, attrs
