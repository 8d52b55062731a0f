"""`python -m families`: examine the networks that are not known yet, then write the table."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from families import table
from families.examine import CHECKS
from families.networks import SENTENCES, subjects
from families.sweep import ROOT, lines, sweep, warm

RESULTS = ROOT / "families" / "results.jsonl"


def parser() -> argparse.ArgumentParser:
    """The options, held by tests to what this page says of them."""
    made = argparse.ArgumentParser(prog="python -m families", description="What opens of the networks that people use.")
    made.add_argument("--only", default="*", metavar="GLOB", help='only networks whose text matches, such as "timm:*"')
    made.add_argument("--check", default="", choices=CHECKS, help="only this check, of networks that are known to open")
    made.add_argument("--limit", type=float, default=600, metavar="SECONDS", help="for each network (default: 600)")
    made.add_argument("--results", type=Path, default=RESULTS, metavar="FILE", help="a line of JSON for each network")
    made.add_argument("--anew", action="store_true", help="also what is known already")
    made.add_argument("--table", action="store_true", help="only write docs/reference/networks.md from what is known")
    return made


def main(arguments: Sequence[str] | None = None) -> None:
    """Progress goes to stderr."""
    given = parser().parse_args(arguments)
    if not given.table:
        warm()

        for text, now in sweep(subjects(given.only), given.results, given.limit, given.anew, given.check):
            if now:
                record = lines(given.results)[text]
                seconds = record.get(given.check, record)["seconds"]
                print(f"{text}: {table.in_short(record)}, {seconds} s", file=sys.stderr, flush=True)
    page = table.page(lines(given.results), subjects(), SENTENCES)
    (ROOT / "docs" / "reference" / "networks.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
