"""What README.md, CONTRIBUTING.md and docs/ show: commands, YAML and links.

A block or line with `<!-- needs: ... -->` holds commands that need hardware, a network or time.
"""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
BLOCK = re.compile(r"(<!-- needs: [^>]+ -->\n)?^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
PROGRAM = re.compile(r"(make|dvc|foldwise|git|pip|python|ray|sbatch|bash|\.ci/\w+) ")
NEEDS = "<!-- needs: "


class Command(NamedTuple):
    """A command line that a page shows.

    Attributes:
        page: Name of the page.
        line: The command without its comment.
        needs: Whether the page says that it needs hardware, a network or time.
    """

    page: str
    line: str
    needs: bool


def blocks(language):
    """Return page, text and `needs` of every fenced block in a language."""
    return [
        (str(page.relative_to(ROOT)), text, bool(needs))
        for page in PAGES
        for needs, found, text in BLOCK.findall(page.read_text())
        if found == language
    ]


def prose(page):
    """Return the lines of a page outside fenced blocks."""
    return BLOCK.sub("", page.read_text()).splitlines()


def codes():
    """Return page, text and `needs` of every code span."""
    return [
        (str(page.relative_to(ROOT)), code, NEEDS in line)
        for page in PAGES
        for line in prose(page)
        for code in CODE.findall(line)
    ]


def commands():
    """Return the commands of all pages, in blocks and code spans."""
    shown = [Command(*code) for code in codes() if PROGRAM.match(code[1])]
    for page, text, needs in blocks("sh"):
        lines = (re.sub(r"(^| +)# .*", "", line).strip() for line in text.splitlines())
        shown += [Command(page, line, needs) for line in lines if line]
    return sorted(set(shown))
