"""A citation says what CITATION.cff says, and what made the atlas, in BibTeX that a stranger's name cannot break."""

import re

from hypothesis import given
from hypothesis import strategies as st

from layerscope.atlas.records import RunRecord
from layerscope.core.version import __version__
from layerscope.facts import citing
from tests.docs.pages import ROOT
from tests.helpers.atlases import INPUT

RUN = RunRecord(
    network="torchvision:alexnet", images="photos/ (40 images)", k=9, input=INPUT, started="2026-11-22T10:00:00Z",
    fingerprint={"graph": "9a3c" * 16, "weights": "51fe" * 16, "images": "07bd" * 16, "input": {"height": 64}},
)  # fmt: skip


def entries(bibtex: str) -> list[dict[str, str]]:
    """Read as BibTeX reads it: entries and values end where their braces do, whatever a backslash stands before."""
    found, place = [], 0
    while (begun := re.compile(r"@(\w+)\{(\w+),").search(bibtex, place)) is not None:
        entry, place = {"type": begun[1], "key": begun[2]}, begun.end()
        while (value := re.compile(r"\s*(\w+) = \{").match(bibtex, place)) is not None:
            depth, end = 1, value.end()
            while depth:
                depth += {"{": 1, "}": -1}.get(bibtex[end], 0)
                end += 1
            entry[value[1]] = bibtex[value.end() : end - 1]
            place = end + (bibtex[end] == ",")
        assert re.compile(r"\s*\}").match(bibtex, place), bibtex[place : place + 40]
        found.append(entry)
    return found


def test_it_says_what_citation_cff_says():
    """Title, authors, version and licence; and the paper with its authors, year and number."""
    cff = (ROOT / "CITATION.cff").read_text()
    said = {name: value for name, value in re.findall(r"^(\w+): (.+)$", cff, re.MULTILINE)}
    tool, paper = entries(citing.citation(RUN))
    assert (tool["title"], tool["version"], tool["license"]) == (said["title"], said["version"], said["license"])
    assert said["version"] == __version__ and tool["author"] == "{The layerscope authors}"
    assert "- name: The layerscope authors" in cff
    assert paper["title"] in cff and f"year: {paper['year']}" in cff and paper["url"] in cff
    assert paper["url"].endswith(paper["eprint"])
    for family in ("Zeiler", "Fergus"):
        assert family in paper["author"] and f"family-names: {family}" in cff


def test_it_names_what_made_the_atlas():
    """Network, images, day, and what tells graph, weights and images from others; and the part that is meant."""
    note = entries(citing.citation(RUN))[0]["note"]
    assert note == (
        "Atlas of torchvision:alexnet over photos/ (40 images), begun 2026-11-22; "
        "graph 9a3c9a3c9a3c; weights 51fe51fe51fe; images 07bd07bd07bd"
    )
    part = entries(citing.citation(RUN, "unit 3 of conv_1"))[0]["note"]
    assert part.startswith(r"unit 3 of conv\_1, in an atlas of torchvision:alexnet over")


def test_signs_of_tex_are_written_out():
    """Each as TeX prints it, and no brace that BibTeX could count."""
    signs = "a\\b{c}d$e&f#g_h%i~j^k"
    assert citing.in_tex(signs) == (
        r"a\textbackslash{}b\textbraceleft{}c\textbraceright{}d\$e\&f\#g\_h\%i\textasciitilde{}j\textasciicircum{}k"
    )


@given(name=st.text(max_size=300), part=st.text('{}\\@%\n\x00,"=', max_size=20))
def test_no_name_breaks_an_entry(name, part):
    """Whatever strangers call their networks: two entries, in lines without control characters."""
    run = RunRecord(network=name, images=part, k=9, input=INPUT, fingerprint={"weights": name})
    text = citing.citation(run, part)
    assert [entry["type"] for entry in entries(text)] == ["software", "misc"]
    assert all(letter.isprintable() or letter == "\n" for letter in text)
