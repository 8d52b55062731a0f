"""The docs as data: pages, fenced blocks, headings, tables and links.

A block's first word is its language, its second how it is meant: `sh` and `python` blocks run; `sh downloads` (fetches
something), `sh set-up` (makes an environment) and `with an extra` (run by tests/networks) are only parsed; `text
exactly` is what the command before it prints; `python a row`, `a method`, `a page` and `the laws` are examples that
tests of their own take up.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
FENCE = re.compile(r"^```(?P<info>[^\n`]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block. language: its first word; manner: the rest of its line; line: where it begins."""

    language: str
    manner: str
    body: str
    line: int


@cache
def text(path: Path) -> str:
    """A page."""
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    """A page's path in the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def blocks(path: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order."""
    found = []
    for match in FENCE.finditer(text(path)):
        language, _, manner = match["info"].strip().partition(" ")
        found.append(Block(language, manner, match["body"], text(path).count("\n", 0, match.start()) + 1))
    return tuple(found)


def prose(path: Path) -> str:
    """A page without its fenced blocks."""
    return FENCE.sub("", text(path))


def sections(path: Path, level: int) -> dict[str, str]:
    """The text below each heading of a level, up to the next heading of this or a higher one; by heading."""
    found: dict[str, str] = {}
    parts = re.split(r"^(#{1,6}) (.+)$", prose(path), flags=re.MULTILINE)
    current = None
    for marks, heading, body in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if len(marks) <= level:
            current = heading if len(marks) == level else None
            if current is not None:
                found[current] = body
        elif current is not None:
            found[current] += f"{heading}\n{body}"
    return found


def rows(part: str) -> list[tuple[str, ...]]:
    """The rows of all tables in a text, headers and rules left out; cells without their backticks."""
    found, header = [], True
    for line in part.splitlines():
        if not line.startswith("|"):
            header = True
        elif re.fullmatch(r"[|\s:-]+", line):
            header = False
        elif not header:
            cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
            found.append(tuple(cell.strip().replace("\\|", "|").replace("`", "") for cell in cells))
    return found


def anchors(path: Path) -> set[str]:
    """What links to a page's headings are called, as GitHub and others make them."""
    headings = re.findall(r"^#{1,6} (.+)$", prose(path), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links(path: Path) -> list[str]:
    """The targets of a page's links and pictures."""
    return re.findall(r"!?\[[^\]]*\]\(([^)\s]+)\)", prose(path))
