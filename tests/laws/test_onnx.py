"""A network written as ONNX answers as it does here: drawn ones, every way to call each row, each family's twin."""

import pytest
from hypothesis import given

import layerscope as ls
from layerscope.core.errors import UnknownOp
from layerscope.graph.onnx_forms import ONNX_FORMS
from tests.helpers.networks import CASES, Case, randomise
from tests.helpers.onnx_answers import answers_alike
from tests.helpers.sweep import swept
from tests.laws.checks import traced
from tests.laws.parts import LINES
from tests.laws.strategies import FEWER, Drawn, networks
from tests.laws.test_rows import COLS, GROUPS, ROWS, Beside
from tests.unit.graph.test_auto_families import FAMILIES

WITHOUT = {name for name, form in ONNX_FORMS.items() if isinstance(form, str)}


@FEWER
@given(networks())
def test_drawn_networks_answer_alike(drawn: Drawn) -> None:
    """Every layer's units, at 1e-4 of the layer's largest, in float32."""
    assert answers_alike(traced(drawn.model.float(), drawn.channels, drawn.height, drawn.width), drawn.seed)


# On every run some of the lines; drawn networks and tests/unit/graph/test_onnx_forms.py hold every row's form.
@pytest.mark.parametrize(
    ("group", "every"), [(0, 6), *(pytest.param(group, 1, marks=pytest.mark.wide) for group in range(4))]
)
def test_every_way_to_call_a_row_answers_alike(group: int, every: int) -> None:
    """All lines of the table of parts but those whose rows have no form, side by side in a few networks."""
    parts = tuple(part for part in GROUPS[group] if not part.rows & WITHOUT)[::every]
    model = Beside(parts)
    randomise(model.double(), seed=group)
    assert answers_alike(traced(model.float(), 2, ROWS, COLS)) > len(parts)


def test_few_lines_are_left_out() -> None:
    """Those of rows that have no form, and no others."""
    assert {name for part in LINES for name in part.rows & WITHOUT} == WITHOUT


@pytest.mark.parametrize("case", swept(CASES, 4), ids=lambda case: case.name)
def test_small_networks_answer_alike(case: Case) -> None:
    """One for each thing that can go wrong: overhanging windows, groups, divisors, twelve channels."""
    assert answers_alike(traced(case.model().float(), case.channels, case.height, case.width))


@pytest.mark.parametrize("family", swept(FAMILIES, 6))
def test_families_answer_alike(family: str) -> None:
    """Each family's twin: squeezed and excited, split and shuffled, normalised by layers, with every activation. What
    is no CNN in it, as attention, is refused."""
    build, _ = FAMILIES[family]
    model = randomise(build().double(), seed=0)
    net = ls.trace(model.float(), ls.Input(height=16, width=16))
    if any(node.refused for node in net.program.graph.nodes):
        with pytest.raises(UnknownOp, match="cannot be run in a browser"):
            answers_alike(net)
    else:
        assert answers_alike(net)
