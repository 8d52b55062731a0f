"""Numbers in words, as figures, pages, reports and the terminal write them: one home for each way. Plain Python."""

import re

# A space between a number and its unit, in the text of a page and not within a tag.
# It begins with the space, which is found much faster than a digit before one.
_BEFORE_UNIT = re.compile(r" (?<=\d )(?=(?:%|px|kB|MB|GB|ms)(?!\w)[^<>]*<)")
SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def in_words(count: int) -> str:
    """A small count as a word, a large one in digits: "nine", "1,152"."""
    return SMALL[count] if 0 <= count < len(SMALL) else f"{count:,}"


def counted(count: int, noun: str, plural: str = "") -> str:
    """A count and its noun: "1 layer", "1,152 units"."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def number(value: float) -> str:
    """A measured value to three significant digits, without an exponent where people would write none."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e7 else f"{value:.3g}"


def measured(value: float) -> str:
    """A value to three significant digits, trailing zeros kept, as values in a row are compared."""
    return number(value) if value == 0 or abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def four_digits(value: float | None) -> str:
    """A measured value to four significant digits, as tables of plain text have it; empty where there is none."""
    return "" if value is None else f"{value:.4g}"


def percent(share: float) -> str:
    """A share in 0..1 as a percentage."""
    return f"{100 * share:.2g} %" if share < 0.0995 else f"{100 * share:.0f} %"


def signed_percent(share: float) -> str:
    """A share of either sign, which may be more than one, as a percentage: to a tenth below ten, so that those that
    stand side by side are rounded alike; with a minus sign where it is below zero."""
    size = 100 * abs(share)
    said = f"{size:.0f} %" if size >= 9.95 else "0 %" if size < 0.05 else f"{size:.1f} %"
    return f"\N{MINUS SIGN}{said}" if share < 0 and said != "0 %" else said


def signed(value: float) -> str:
    """A value of either sign as `measured` has it, with a minus sign where it is below zero."""
    return f"\N{MINUS SIGN}{measured(-value)}" if value < 0 else measured(value)


def duration(seconds: float) -> str:
    """A time as people say it: "0.4 s", "35 s", "12 min", "3 h 5 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def file_size(count: int) -> str:
    """Bytes as people say them, in powers of ten: "312 bytes", "4.1 kB", "118 MB"."""
    size = float(count)
    for unit in ("bytes", "kB", "MB"):
        if size < 999.5:
            return f"{count} bytes" if unit == "bytes" else f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"


def megabytes(count: float) -> str:
    """Bytes as megabytes, whatever their number, so that a budget and what is needed can be compared: "4.2 MB"."""
    return f"{count / 1e6:,.1f} MB"


def unbroken(page: str) -> str:
    """A page of HTML in which no line ends between a number and its unit: "27 %", "16 px". What tags hold is kept."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", page)
