"""The page of networks has the form that `make families` gives it, and every network of the sweep stands in it."""

import re

from families.networks import SENTENCES, subjects
from families.table import COLUMNS, HEAD, METHODS
from tests.docs.pages import DOCS, rows, sections, text

PAGE = DOCS / "reference" / "networks.md"


def test_its_head_says_when_and_with_what():
    """What the sweep is, its day, and the versions of the packages."""
    page = text(PAGE)
    assert page.startswith(HEAD)
    assert re.search(
        r"^Run \d{4}-\d\d-\d\d.*?, with .*?numpy \d.*?torch \d.*?; .*?\.\n", page, re.MULTILINE | re.DOTALL
    )


def test_every_kind_is_counted():
    """The table of counts has a line for each kind and one for all, and the lines add up."""
    lines = rows(sections(PAGE, 2)["How many"])
    assert [line[:2] for line in lines] == [*SENTENCES.items(), ("all", "")]
    numbers = [[int(cell) for cell in line[2:]] for line in lines]
    assert all(sum(line[1:]) == line[0] for line in numbers)
    assert [sum(column) for column in zip(*numbers[:-1], strict=True)] == numbers[-1]
    assert numbers[-1][0] == len(subjects())


def test_every_network_is_named():
    """In its kind's section: a line of the table, or a word among those that were not run yet."""
    found = sections(PAGE, 2)
    for kind in SENTENCES:
        listed = {line[0] for line in rows(found[kind]) if len(line) == len(COLUMNS)}
        waiting = re.search(r"^Not run yet: (.*?)\.\n", found[kind] + "\n", re.MULTILINE | re.DOTALL)
        names = listed | set(re.findall(r"`([^`]+)`", waiting[1]) if waiting else ())
        assert names == {subject.name for subject in subjects() if subject.kind == kind}


def test_refusals_and_gaps_are_told():
    """What is wrong, the worst gap of each check, and each refusal with its count."""
    found = sections(PAGE, 2)
    assert found["What is wrong"].strip()
    assert [line[0] for line in rows(found["Worst gaps"])] == ["replay", "fields", "peaks", *METHODS]
    assert all(int(line[2]) and int(line[3]) for line in rows(found["Operations that are refused"]))
