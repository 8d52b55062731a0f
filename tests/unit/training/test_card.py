"""The card says what a reader must know before using or passing on the weights, and says it truly."""

import json
import shlex
from pathlib import Path

import pytest

from layerscope.cli.parser import parse
from layerscope.training.card import terms
from tests.helpers.training import CLASSES, EACH, RECIPE


@pytest.fixture(scope="module")
def card(finished: Path) -> dict:
    """Of the run that nothing interrupted."""
    return json.loads((finished / "card.json").read_text())


def test_data_recipe_and_result_are_the_runs(card: dict, finished: Path) -> None:
    """Counts, classes, figures of every epoch, and the last one's as the result."""
    log = json.loads((finished / "log.json").read_text())
    assert card["epochs"] == log and card["result"]["top1"] == log[-1]["top1"]
    assert (card["data"]["images"], card["data"]["validation_images"]) == (3 * EACH - 3, 3)
    assert tuple(card["data"]["classes"]) == CLASSES and card["data"]["name"] == "noise"
    assert card["recipe"]["batch"] == RECIPE.batch and card["recipe"]["words"] == RECIPE.words
    layers = {f"layer{number}": units for number, units in enumerate((48, 96, 128, 128, 96, 512, 512), start=1)}
    assert {layer: held["units"] for layer, held in card["dead_units"].items()} == layers
    assert 0 < card["first_filters"]["energy_above_0.3_cycles_per_px"] < 1
    assert len(card["first_filters"]["per_unit"]) == 48


def test_the_command_can_be_typed(card: dict) -> None:
    """It names what differs from the default recipe, and no path of the machine it ran on."""
    words = shlex.split(card["command"])
    given = parse(words[1:]).values
    assert (given["data"], given["out"]) == ("noise", "whole")
    assert (given["epochs"], given["batch"], given["rate"]) == (2, 8, None)


def test_the_page_holds_the_figures(card: dict, finished: Path) -> None:
    """The same numbers as card.json, for people; the terms too."""
    page = (finished / "card.md").read_text()
    assert page.startswith("# zfnet64\n") and card["terms"] in page and RECIPE.words in page
    assert f"**{card['result']['top1']:.1%} top-1" in page
    assert f"| layer7 | 512 | {card['dead_units']['layer7']['dead']} |" in page
    assert "21 pictures of 3 classes" in page and str(finished) not in page


def test_terms_follow_the_data() -> None:
    """What is drawn by layerscope is its own; all else has terms of its own."""
    assert "Apache 2.0" in terms("the visual world")
    assert terms("tiny-imagenet").startswith("The weights are made from tiny-imagenet. Its terms apply")
