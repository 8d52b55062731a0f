"""The house's docstrings as data: one sentence, then `name: meaning. other, another: meaning.`, then what is raised.

Read by the test that holds docstrings to the code and by the site, which shows the names as a list.
"""

import ast
import re
from collections.abc import Iterator

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

# At the docstring's begin or behind a sentence: names in lower case, parted by commas, and a colon.
_NAME = r"[a-z_]\w*"
_FIELD = re.compile(rf"(?:^|(?<=[.;!?] )|(?<=[.;!?]\) )|(?<=[.;!?]\" ))({_NAME}(?:(?:, | and ){_NAME})*): ")
_RAISES = re.compile(r"\b[Rr]aises ((?:[A-Z]\w+(?:, (?:and |or )?| or | and )?)+)")


def documented(tree: ast.AST) -> Iterator[tuple[Documented, str]]:
    """The classes and functions of a module that have a docstring, with it."""
    for node in ast.walk(tree):
        if isinstance(node, Documented) and (text := ast.get_docstring(node)):
            yield node, text


def fields(text: str) -> list[tuple[list[str], int, int]]:
    """Where a paragraph (one line) names what it describes: the names, and from where to where they stand."""
    return [(re.split(r", | and ", match[1]), match.start(1), match.end()) for match in _FIELD.finditer(text)]


def named(docstring: str) -> list[str]:
    """Every name that a docstring describes."""
    paragraphs = [" ".join(part.split()) for part in re.split(r"\n\s*\n", docstring)]
    return [name for paragraph in paragraphs for names, _, _ in fields(paragraph) for name in names]


def raised(docstring: str) -> list[str]:
    """Every error that a docstring says is raised."""
    found = _RAISES.findall(" ".join(docstring.split()))
    return [name for names in found for name in re.findall(r"[A-Z]\w+", names)]


def listed(docstring: str) -> str:
    """The docstring as Markdown: each paragraph's names as a list, and what is raised behind it."""
    return "\n\n".join(map(_listed, re.split(r"\n\s*\n", docstring)))


def _listed(paragraph: str) -> str:
    line = " ".join(paragraph.split())
    found = fields(line)
    if not found or paragraph.startswith(" "):
        return paragraph
    ends = [start for _, start, _ in found[1:]] + [len(line)]
    items, raised = [], []
    for (names, _, begin), end in zip(found, ends, strict=True):
        meaning, _, rest = line[begin:end].strip().partition(" Raises ")
        items.append(f"- {', '.join(f'`{name}`' for name in names)}: {meaning}")
        raised += [f"Raises {rest}"] if rest else []
    return "\n\n".join(filter(None, [line[: found[0][1]].strip(), "\n".join(items), " ".join(raised)]))
