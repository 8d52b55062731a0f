"""A page of an atlas: the units that never fired, by layer."""

from dataclasses import dataclass

import numpy as np

from layerscope.facts.layer import live
from layerscope.viewer.pages import Page, Query
from layerscope.viewer.shelf import Book

TEMPLATE = """{% extends "base.html" %}
{% set here = "dead" %}
{% block title %}Dead units{% endblock %}
{% block main %}
<h1>Dead units</h1>
{% for name, units in page.layers %}
<h2><a href="{{ link.page("layer", book.layer(name)) }}">{{ name }}</a></h2>
{% for unit in units %}<a href="{{ link.page("unit", book.layer(name), unit) }}">{{ unit }}</a> {% endfor %}
{% endfor %}
{% endblock %}
"""


@dataclass(frozen=True)
class DeadPage:
    """By name of each layer, its units without a peak."""

    layers: tuple[tuple[str, tuple[int, ...]], ...]


def facts(book: Book, query: Query) -> DeadPage:
    silent = {layer.name: ~live(book.file.all_peaks(layer.id)) for layer in book.layers}
    return DeadPage(tuple((name, tuple(np.flatnonzero(dead).tolist())) for name, dead in silent.items()))


PAGE = Page(
    name="dead", sentence="the units that never fired", scope="atlas", head="Dead", facts=facts, text=TEMPLATE
)  # fmt: skip
