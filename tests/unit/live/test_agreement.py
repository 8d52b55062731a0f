"""How far an image of the atlas excites now what it excited in the scan: all of it from the original."""

import io
import shutil
import sqlite3
from contextlib import closing
from math import inf, isfinite
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from layerscope.atlas.read import AtlasFile
from layerscope.atlas.records import Peak
from layerscope.core.errors import NotAnAtlas, UsageError
from layerscope.core.geometry import Box
from layerscope.core.live import LiveRequest, ScanAgreement
from layerscope.live.agreement import agreement
from layerscope.live.opening import engine_for
from tests.helpers.building import LAYERS


def peak(value: float) -> Peak:
    return Peak(rank=0, value=value, image=0, row=0, col=0, box=Box(top=0, left=0, bottom=1, right=1))


def test_what_comes_back_is_counted():
    """To within 1 % of the scan's value; the median of the ratios; of layers that were asked about, above zero."""
    peaks = [(1, 0, peak(2.0)), (1, 1, peak(4.0)), (1, 2, peak(1.0)), (1, 3, peak(0.0)), (2, 0, peak(3.0))]
    maxima = {1: np.array([1.0, 4.03, 0.98, 5.0], np.float32)}
    found = agreement(peaks, maxima)
    assert (found.peaks, found.back, found.ratio) == (3, 1, pytest.approx(0.98))
    assert agreement(peaks, {2: np.array([3.0], np.float32)}) == ScanAgreement(peaks=1, back=1, ratio=1.0)
    assert agreement(peaks, {}) == ScanAgreement(peaks=0, back=0, ratio=None)


@pytest.mark.parametrize("value", [5e-324, 1e-46, 1e39, inf])
def test_a_peak_that_no_scan_finds_is_damage(value):
    """A sentence, and no infinite ratio, which JSON has no word for; the smallest and the largest float32 are peaks."""
    maxima = {1: np.array([2.0], np.float32)}
    with pytest.raises(NotAnAtlas, match=r"damaged.*image 0.*unit 0"):
        agreement([(1, 0, peak(value))], maxima)
    assert agreement([(2, 0, peak(value))], maxima).peaks == 0
    for extreme in (1.5e-45, 3.4e38):
        ratio = agreement([(1, 0, peak(extreme))], maxima).ratio
        assert ratio is not None and isfinite(ratio)


def test_a_damaged_peak_is_told_in_a_sentence(made, tmp_path):
    """Of an atlas whose peaks were changed, by the look at one layer and by that at all."""
    path, image = Path(shutil.copy(made.atlas, tmp_path / "damaged.atlas")), with_peaks(made.atlas)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE peak SET value = 5e-324 WHERE image = ?", (image,))
    with AtlasFile(path) as file:
        engine = engine_for(file, made.net.program, name=made.net.name, images=made.source)
        layers = {file.layer(layer).id: layer for layer in LAYERS}
        layer = next(layers[at] for at, _, _ in file.peaks_in(image) if at in layers)
        with pytest.raises(NotAnAtlas, match="damaged"):
            engine.look_at_image(image, LiveRequest(layer=layer))
        with pytest.raises(NotAnAtlas, match="damaged"):
            engine.whole_image(image)


def with_peaks(path: Path) -> int:
    """An image with peaks, of which the atlas keeps a picture."""
    with AtlasFile(path) as file:
        return next(one.id for one in file.images() if file.peaks_in(one.id) and file.has_picture(one.id))


def test_of_the_original_all_comes_back(made):
    """It lies beside the atlas: the look is that of the file itself, and every activation is the scan's."""
    image = with_peaks(made.atlas)
    for layer in LAYERS:
        look = made.engine.look_at_image(image, LiveRequest(layer=layer))
        assert (
            look.original is True
            and look.maxima == made.engine.look(made.encoded(image), LiveRequest(layer=layer)).maxima
        )
        assert look.agreement is not None and look.agreement.back == look.agreement.peaks
    portrait = made.engine.whole_image(image, strongest=2)
    assert portrait.original is True and portrait.agreement is not None
    assert portrait.agreement.peaks == sum(layer.agreement.peaks for layer in portrait.layers if layer.agreement) > 0
    assert portrait.agreement.back == portrait.agreement.peaks
    assert portrait.layers == tuple(
        type(one)(layer=one.layer, firings=other.firings, agreement=one.agreement)
        for one, other in zip(portrait.layers, made.engine.whole(made.encoded(image), strongest=2).layers, strict=True)
    )


@pytest.fixture
def elsewhere(made, tmp_path):
    """The atlas in another place, where its images are not; its picture of one image is a plain gray one."""
    folder = tmp_path / "far" / "away"
    folder.mkdir(parents=True)
    path, image = Path(shutil.copy(made.atlas, folder / "small.atlas")), with_peaks(made.atlas)
    buffer = io.BytesIO()
    Image.new("RGB", (96, 96), (90, 90, 90)).save(buffer, "PNG")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE picture SET pixels = ?, codec = 'png' WHERE image = ?", (buffer.getvalue(), image))
    with AtlasFile(path) as file:
        yield file, image, buffer.getvalue(), engine_for(file, made.net.program, name=made.net.name)


def test_what_the_kept_copy_costs_is_said(made, elsewhere):
    """Where the original is not found the copy is looked at: its own activations, beside those of the scan."""
    file, image, copy, engine = elsewhere
    for layer in LAYERS:
        look, own = (engine.look_at_image(image, LiveRequest(layer=layer)), engine.look(copy, LiveRequest(layer=layer)))
        assert look.original is False and look.maxima == own.maxima
        stored = file.layer(layer)
        scanned = {unit: one.value for at, unit, one in file.peaks_in(image) if at == stored.id and one.value > 0}
        ratios = [own.maxima[unit] / value for unit, value in scanned.items()]
        back = sum(abs(ratio - 1) <= 0.01 for ratio in ratios)
        ratio = pytest.approx(float(np.median(ratios))) if ratios else None
        found = look.agreement
        assert found is not None and (found.peaks, found.back, found.ratio) == (len(ratios), back, ratio)
    found = engine.whole_image(image).agreement
    assert found is not None and found.back < found.peaks


def test_the_user_may_say_where_the_images_lie(made, elsewhere):
    """Then the originals are looked at again."""
    file, image, _, _ = elsewhere
    engine = engine_for(file, made.net.program, name=made.net.name, images=made.source)
    assert engine.look_at_image(image, LiveRequest(layer=LAYERS[0])).original is True


def test_an_image_without_a_picture_is_refused(made):
    """What the atlas keeps no picture of is not shown, even where its file lies about; nor is what does not exist."""
    with AtlasFile(made.atlas) as file:
        without = [one.id for one in file.images() if not file.has_picture(one.id)]
    for image in [*without[:1], 999_999]:
        with pytest.raises(UsageError, match="image"):
            made.engine.look_at_image(image, LiveRequest(layer=LAYERS[0]))


def test_what_the_network_gets_is_shown_when_asked_for(made, decoded):
    """The prepared picture, hidden colours of transparent px too: two that look alike in a browser differ here."""
    shown = []
    for hidden in ((255, 255, 255), (0, 0, 0)):
        buffer = io.BytesIO()
        Image.new("RGBA", (60, 60), (*hidden, 0)).save(buffer, "PNG")
        look = made.engine.look(buffer.getvalue(), LiveRequest(layer=LAYERS[0], prepared=True))
        assert look.prepared is not None
        shown.append(decoded(look.prepared))
        assert np.array_equal(shown[-1], np.broadcast_to(np.array(hidden, np.uint8), shown[-1].shape))
    assert made.engine.look(made.encoded(0), LiveRequest(layer=LAYERS[0])).prepared is None
