"""Names that come from strangers (of files, classes, layers) as text that a terminal or a figure can show."""


def printable(value: object) -> str:
    """Any value in one line: what would break a table or steer a terminal (a file may be named so) is escaped."""
    text = str(value)
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def without_controls(text: str) -> str:
    """Words, in lines, without what a figure or its metadata cannot hold: control characters, lone surrogates."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
