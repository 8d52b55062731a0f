"""How an atlas is cited: BibTeX of layerscope and of the paper whose method it carries out, with what made the atlas.

CITATION.cff says the same of layerscope; a test holds the two together.
"""

from layerscope.atlas.records import RunRecord
from layerscope.core.names import printable
from layerscope.core.version import __version__

TITLE, AUTHORS, LICENCE = "layerscope", "The layerscope authors", "Apache-2.0"
PAPER = """\
@misc{zeiler2013visualizing,
  title = {Visualizing and Understanding Convolutional Networks},
  author = {Zeiler, Matthew D. and Fergus, Rob},
  year = {2013},
  eprint = {1311.2901},
  archiveprefix = {arXiv},
  url = {https://arxiv.org/abs/1311.2901}
}
"""
# A name longer than this is cut; the digits of a hash that tell it from others.
LONGEST, DIGITS = 200, 12
PRINTS = ("graph", "weights", "images")
# What TeX takes for something else. BibTeX counts braces even behind a backslash, so none is left single.
ESCAPED = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}", "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}", **{sign: f"\\{sign}" for sign in "$&#_%"},
    }
)  # fmt: skip


def citation(run: RunRecord, of: str = "") -> str:
    """Two entries of BibTeX: the atlas as made by layerscope, and the paper.

    run: what made the atlas, as far as it is published. of: what of it is meant, such as "unit 3 of conv1"; "" for all.
    """
    network, images, part = (text[:LONGEST] for text in (run.network, run.images, of))
    prints = [f"{name} {str(run.fingerprint[name])[:DIGITS]}" for name in PRINTS if name in run.fingerprint]
    about = f"{part}, in an atlas of {network}" if part else f"Atlas of {network}"
    note = "; ".join([f"{about} over {images}, begun {run.started[:10]}", *prints])
    return f"""\
@software{{layerscope,
  title = {{{TITLE}}},
  author = {{{{{AUTHORS}}}}},
  version = {{{__version__}}},
  license = {{{LICENCE}}},
  note = {{{in_tex(note)}}}
}}

{PAPER}"""


def in_tex(text: str) -> str:
    """Words of anybody's as TeX prints them, in one line."""
    return printable(text).translate(ESCAPED)
