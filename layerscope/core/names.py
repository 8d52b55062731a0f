"""Names that come from strangers (of files, classes, layers) as text that a terminal or a figure can show."""

from collections.abc import Iterable


def printable(value: object) -> str:
    """Any value in one line: what would break a table or steer a terminal (a file may be named so) is escaped."""
    text = str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def without_controls(text: str) -> str:
    """Words, in lines, without what a figure or its metadata cannot hold: control characters, lone surrogates."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def without_paths(sentence: str, paths: Iterable[tuple[str, str]]) -> str:
    """A sentence whose paths of the file system, given with the names to show for them, are left out."""
    for path, name in paths:
        sentence = sentence.replace(path, name)
    return sentence
