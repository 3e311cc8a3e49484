from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "promises.md").read_text()
QUOTED = re.compile(r"`([^`]+)`")


def named_tests() -> list[tuple[str, str]]:
    """The tests the page names, each with the file that is named before it."""
    file, found = "", []
    for word in QUOTED.findall(PAGE):
        if re.fullmatch(r"tests/[\w/]+\.py", word):
            file = word
        elif word.startswith("test_"):
            found.append((file, word))
    return found


def test_every_test_that_proves_a_promise_exists() -> None:
    assert len(named_tests()) > 50
    missing = [
        f"{file}: {name}"
        for file, name in named_tests()
        if not re.search(rf"def {name}\b", (ROOT / file).read_text())
    ]
    assert missing == []


def test_every_promise_says_how_it_is_kept_and_what_proves_it() -> None:
    promises = re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]
    incomplete = [
        promise.partition("\n")[0]
        for promise in promises
        if not (
            re.search(r"^\*\*", promise, re.MULTILINE) and "- Kept by: " in promise and "tests/" in promise
        )
    ]
    assert incomplete == []


def test_every_part_of_the_code_that_keeps_a_promise_exists() -> None:
    places = [
        word
        for word in QUOTED.findall(PAGE)
        if re.match(r"(adapters|config|core|entry|ports|stages|wiring)/", word)
    ]
    assert places
    assert [place for place in places if not (ROOT / "src" / "reportbus" / place).exists()] == []
