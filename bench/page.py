"""Tables of a page, each made of a bundle beside the page: between two comments, the first of which names it."""

import re
from pathlib import Path

from bench.bundle import BundleError, read_bundle

_TABLE = re.compile(r"(?P<head><!-- bench: (?P<file>\S+) -->\n).*?(?P<foot><!-- end of bench -->)", re.DOTALL)


def with_tables(page: Path) -> str:
    """The page's text with its tables made anew. Raises BundleError for a bundle that cannot be read, or no table."""
    text, count = _TABLE.subn(
        lambda found: f"{found['head']}\n{read_bundle(page.parent / found['file']).markdown()}\n\n{found['foot']}",
        page.read_text(encoding="utf-8"),
    )
    if not count:
        raise BundleError(f"{page} has no table: nothing stands between <!-- bench: FILE --> and <!-- end of bench -->")
    return text
