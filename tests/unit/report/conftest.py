"""One small atlas for all tests of the report, and a dissection of its two layers with positions."""

from collections.abc import Iterator

import pytest

from layerscope.atlas.read import AtlasFile
from layerscope.core.concepts import Dissection
from layerscope.report import Facts, facts_of
from tests.helpers.atlases import small_atlas
from tests.helpers.facts import dissection, unit_concept

UNITS = 12
FIRST = ("red", "red", "edge 0", None, "red", "edge 0", None, None, "ring", "red", None, None)
LAST = ("dog face", "wheel", None, "dog face", "muzzle", "grid", "wheel", "ring", None, "dog face", "muzzle", None)


@pytest.fixture(scope="session")
def file(tmp_path_factory) -> Iterator[AtlasFile]:
    with AtlasFile(small_atlas(tmp_path_factory.mktemp("report") / "small.atlas", units=UNITS)) as opened:
        yield opened


@pytest.fixture(scope="session")
def dissections() -> list[Dissection]:
    """The atlas's own network, then a second training, which names one unit fewer."""
    first = [unit_concept(unit, concept, 0.1 + unit / 100) for unit, concept in enumerate(FIRST)]
    last = [unit_concept(unit, concept, 0.9 - unit / 100) for unit, concept in enumerate(LAST)]
    again = [unit_concept(0, None), *last[1:]]
    return [
        dissection({"features.1": first, "features.4": last}),
        dissection({"features.1": first, "features.4": again}, baselines=False),
    ]


@pytest.fixture(scope="session")
def facts(file: AtlasFile, dissections: list[Dissection]) -> Facts:
    return facts_of(file, dissections)
