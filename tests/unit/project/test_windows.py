"""Cutting, laying and clearing windows, against loops over single px."""

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from layerscope.project.extents import Extent
from layerscope.project.windows import cleared, cut, laid

SIZE = (6, 7)
ENTRIES = 3


@st.composite
def extents(draw: st.DrawFn) -> Extent:
    """Windows of one size for three entries, anywhere over and beside the plane; now and then the whole plane."""
    if draw(st.integers(0, 4)) == 0:
        return Extent.whole(ENTRIES, SIZE)
    places = st.lists(st.integers(-4, 8), min_size=ENTRIES, max_size=ENTRIES)
    return Extent(
        np.array(draw(places)), np.array(draw(places)), draw(st.integers(1, 6)), draw(st.integers(1, 7)), SIZE
    )


def random(held: Extent, seed: int, count: int = ENTRIES) -> Tensor:
    return torch.randn((count, 2, held.height, held.width), generator=torch.Generator().manual_seed(seed))


def by_px(maps: Tensor, entries: np.ndarray, held: Extent, wanted: Extent, fill: float) -> Tensor:
    """Each px of each wanted window looked up in the plane."""
    out = torch.full((len(entries), maps.shape[1], wanted.height, wanted.width), fill)
    for index, entry in enumerate(entries):
        for r, c in np.ndindex(wanted.height, wanted.width):
            row, col = wanted.tops[index] + r, wanted.lefts[index] + c
            here = row - held.tops[index], col - held.lefts[index]
            if SIZE[0] > row >= 0 <= col < SIZE[1] and held.height > here[0] >= 0 <= here[1] < held.width:
                out[index, :, r, c] = maps[entry, :, here[0], here[1]]
    return out


@given(
    held=extents(),
    wanted=extents(),
    entries=st.lists(st.integers(0, 2), min_size=3, max_size=3),
    seed=st.integers(0, 9),
)
def test_cut_is_a_look_up(held: Extent, wanted: Extent, entries: list[int], seed: int) -> None:
    """What is held and inside the plane is copied, all else is the fill; the maps stay as they were."""
    maps, chosen = random(held, seed), np.array(entries)
    before = maps.clone()
    for fill in (0.0, float("-inf")):
        assert torch.equal(cut(maps, chosen, held, wanted, fill), by_px(maps, chosen, held, wanted, fill))
    assert torch.equal(maps, before)


@given(held=extents(), wanted=extents(), seed=st.integers(0, 9))
def test_laid_keeps_the_signal(held: Extent, wanted: Extent, seed: int) -> None:
    """Laid into other windows a signal keeps each px that lies in both; where nothing moves it is the very tensor."""
    signal = random(held, seed)
    expected = by_px(signal, np.arange(ENTRIES), held, wanted, 0.0)
    found = laid(signal, held, wanted)
    assert found is signal if held.same_place(wanted) else torch.equal(found, expected)


@given(extent=extents(), seed=st.integers(0, 9), fill=st.sampled_from([0.0, 3.0]))
def test_cleared_fills_what_lies_beyond_the_border(extent: Extent, seed: int, fill: float) -> None:
    """Px inside the plane stay; the others are the fill; it is done in place."""
    windows = random(extent, seed)
    expected = by_px(windows.clone(), np.arange(ENTRIES), extent, extent, fill)
    assert cleared(windows, extent, fill) is windows
    assert torch.equal(windows, expected)
