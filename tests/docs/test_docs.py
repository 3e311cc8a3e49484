from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from reportbus.core.codes import CODES

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\((?!https?://|mailto:|#)([^)#\s]+)")


def test_the_reference_pages_say_what_the_code_says() -> None:
    check = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")


def test_every_link_between_pages_leads_to_a_file() -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    dead = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in LINK.findall(page.read_text())
        if not (page.parent / link).exists()
    ]
    assert dead == []


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "docs" / "index.md"]
    while waiting:
        page = waiting.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            waiting += [(page.parent / link).resolve() for link in LINK.findall(page.read_text())]
    assert set((ROOT / "docs").rglob("*.md")) - reached == set()


def test_every_make_target_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    named = {target for page in pages for target in re.findall(r"`make ([a-z]+)`", page.read_text())}
    assert named - targets == set()


def test_every_code_a_page_names_exists() -> None:
    areas = "|".join({code.partition("_")[0] for code in CODES if "_" in code})
    like_a_code = re.compile(rf"\b(?:{areas})_[A-Z0-9_]*[A-Z0-9]\b")
    not_there_yet = (ROOT / "docs" / "promises.md").read_text().partition("\n## Not there yet\n")[2]
    known = {*CODES, *like_a_code.findall(not_there_yet), "SYS_ADMIN"}  # the last one is Linux's
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]

    assert [
        f"{page.relative_to(ROOT)}: {code}"
        for page in pages
        for code in like_a_code.findall(page.read_text())
        if code not in known
    ] == []
