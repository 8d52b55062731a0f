import gc
import io
import threading
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

import layerscope as ls
from layerscope.atlas.read import AtlasFile
from layerscope.core.errors import ImageError, TraceError, UnsupportedMethod, UsageError
from layerscope.core.live import LiveRequest
from layerscope.core.methods import METHODS
from layerscope.known.network import INPUT, known_network
from layerscope.known.pictures import write_pictures
from layerscope.live.engine import FRAME_BYTES, InferenceEngine
from layerscope.live.opening import engine_for
from layerscope.live.tiles import natural_view
from layerscope.project.extents import extents_of
from layerscope.project.tiling import boxes_for, view_tiles
from layerscope.sources import show
from tests.helpers.building import LAYERS

MAPPED = LAYERS[:3]


def by_the_library(made, image, layer, unit, row, col, method, placed_by=None):
    """The tile and its box, made of what `net.project` gives."""
    x, record = made.prepared(image), made.net[layer]
    place = {"image": [0], "unit": [unit], "row": [row], "col": [col]}
    signals = {m: torch.from_numpy(made.net.project(x, layer, **place, method=m).signal) for m in METHODS.names}
    with AtlasFile(made.atlas) as file:
        stored = file.layer(layer)
        natural = natural_view(file, 3)
    extent = extents_of(made.net.program, record.node, np.array([row]), np.array([col]))[0]
    side = stored.tile if record.map else 0
    boxes = boxes_for(signals[placed_by or method], extent, side)
    size = (side, side) if side else (made.net.input.height, made.net.input.width)
    tiles, _ = view_tiles(signals[method], extent, boxes, size, natural, ("natural",), made.net.input.shown)
    return tiles[0, 0], (boxes[0].top, boxes[0].left, boxes[0].bottom, boxes[0].right)


def scales_by_hand(made, layer, maxima):
    """The unit's maximum over the atlas; the largest of this picture where that is not above zero."""
    with AtlasFile(made.atlas) as file:
        known = file.unit_statistics(file.layer(layer).id).maximum.tolist()
    return [k if k > 0 else max(maxima) for k in known]


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("image", [0, 7])
def test_a_picture_gives_the_librarys_activations(made, layer, image):
    """To the last bit: the maxima of all units, and the place and value of a unit's highest."""
    maps = made.net.activations(made.prepared(image), layer)[0]
    maps = maps.reshape(len(maps), -1)
    for unit in range(len(maps)):
        look = made.engine.look(made.encoded(image), LiveRequest(layer=layer, unit=unit, mosaic=False))
        assert look.maxima == maps.max(1).tolist()
        width = look.unit_map.shape[1]
        assert look.row * width + look.col == maps[unit].argmax()
        assert look.value == maps[unit].max()


@pytest.mark.parametrize("layer", MAPPED)
def test_a_units_map_is_the_librarys_in_gray_levels(made, layer):
    """255 is the unit's scale, 0 is zero and below."""
    maps = made.net.activations(made.prepared(3), layer)[0]
    scales = scales_by_hand(made, layer, maps.max((1, 2)).tolist())
    for unit, scale in enumerate(scales):
        look = made.engine.look(made.encoded(3), LiveRequest(layer=layer, unit=unit))
        assert look.unit_scale == pytest.approx(scale)
        assert np.abs(look.unit_map - np.clip(255 * maps[unit] / scale, 0, 255)).max() <= 0.51


@pytest.mark.parametrize("method", METHODS.names)
@pytest.mark.parametrize("layer", LAYERS)
def test_a_projection_is_the_librarys(made, layer, method, decoded):
    """The live tile is made of the very signal that `net.project` gives, and shows the same box."""
    unit = made.engine.look(made.encoded(5), LiveRequest(layer=layer)).strongest[0]
    look = made.engine.look(made.encoded(5), LiveRequest(layer=layer, unit=unit, method=method, project=True))
    tile, box = by_the_library(made, 5, layer, unit, look.row, look.col, method)
    assert look.tile_box == box
    assert np.array_equal(decoded(look.projection), tile)
    assert tile.std() > 0


@pytest.mark.parametrize("layer", MAPPED)
def test_an_image_of_the_atlas_gives_the_tile_that_the_atlas_keeps(made, layer, decoded):
    """The atlas's batches differ from a single picture in the last bits only: one gray level."""
    with ls.open(made.atlas) as atlas:
        method = atlas[layer].method
        for unit in atlas[layer]:
            for peak in unit.peaks[:1]:
                request = LiveRequest(layer=layer, unit=unit.number, method=method, project=True)
                look = made.engine.look(made.encoded(peak.image), request)
                assert (look.row, look.col) == (peak.row, peak.col)
                assert look.value == pytest.approx(peak.value, rel=1e-5)
                inside = peak.box.clipped(*made.engine.input_size)
                assert look.box == (inside.top, inside.left, inside.bottom, inside.right)
                kept = peak.tile_box
                assert look.tile_box == (kept.top, kept.left, kept.bottom, kept.right)
                stored = unit.projection(peak.rank, method)
                assert np.abs(decoded(look.projection).astype(int) - stored).max() <= 1


def test_a_network_whose_answers_are_known_agrees_too(tmp_path, decoded):
    """The network with filters set by hand: activations and all methods; it has no classes, so none are named."""
    write_pictures(tmp_path / "photos", 8)
    net, source = ls.trace(known_network(), INPUT), ls.images(tmp_path / "photos")
    ls.build(net, source, tmp_path / "known.atlas", layers=["shapes"], progress=False).close()
    with AtlasFile(tmp_path / "known.atlas") as file:
        engine = engine_for(file, net.program, name="known", input=net.input)
        encoded = (tmp_path / "photos" / file.image(2).source).read_bytes()
        natural, tile = natural_view(file, 3), file.layer("shapes").tile
    x = source.load([2], INPUT).pixels
    look = engine.look(encoded, LiveRequest(layer="shapes"))
    assert look.top == () and engine.classes == ()
    assert look.maxima == net.activations(x, "shapes")[0].max((1, 2)).tolist()
    unit = look.strongest[0]
    for method in METHODS.names:
        look = engine.look(encoded, LiveRequest(layer="shapes", unit=unit, method=method, project=True))
        place = {"image": [0], "unit": [unit], "row": [look.row], "col": [look.col]}
        signal = torch.from_numpy(net.project(x, "shapes", **place, method=method).signal)
        extent = extents_of(net.program, net["shapes"].node, np.array([look.row]), np.array([look.col]))[0]
        boxes = boxes_for(signal, extent, tile)
        tiles, _ = view_tiles(signal, extent, boxes, (tile, tile), natural, ("natural",), INPUT.shown)
        assert np.array_equal(decoded(look.projection), tiles[0, 0])


def test_the_first_classes_are_those_of_the_networks_output(made):
    """Four classes without names: their numbers, by probability."""
    logits = torch.from_numpy(made.net.activations(made.prepared(1), "classes"))[0]
    shares = torch.softmax(logits.double(), 0)
    top = made.engine.look(made.encoded(1), LiveRequest(layer="relu1")).top
    assert [int(name) for name, _ in top] == shares.argsort(descending=True).tolist()
    assert [share for _, share in top] == pytest.approx(sorted(shares.tolist(), reverse=True), abs=1e-6)


def test_classes_are_named_only_where_there_is_a_name_for_each(made):
    """Names of another number than the outputs are no names."""
    with AtlasFile(made.atlas) as file:
        named = InferenceEngine(file, made.net.program, name="small", classes=("a", "b", "c", "d"))
        unnamed = InferenceEngine(file, made.net.program, name="small", classes=("a", "b"))
    request = LiveRequest(layer="relu1", mosaic=False)
    numbers = [int(name) for name, _ in unnamed.look(made.encoded(1), request).top]
    assert [name for name, _ in named.look(made.encoded(1), request).top] == ["abcd"[n] for n in numbers]
    assert unnamed.classes == ()


@pytest.mark.parametrize("layer", LAYERS)
def test_the_strongest_are_strong_for_what_they_have_ever_reached(made, layer):
    """By maximum over the unit's scale, above zero only, nine at most, of equals the first."""
    look = made.engine.look(made.encoded(9), LiveRequest(layer=layer))
    scales = scales_by_hand(made, layer, look.maxima)
    relative = {unit: value / scales[unit] for unit, value in enumerate(look.maxima) if value > 0}
    assert look.strongest == tuple(sorted(relative, key=lambda unit: -relative[unit])[:9])


def test_the_mosaic_holds_the_layers_maps(made, decoded):
    """Each unit's place in the grid shows its map, within what JPEG loses."""
    look = made.engine.look(made.encoded(2), LiveRequest(layer="relu1"))
    rows, cols, height, width, first = look.mosaic_shape
    picture = decoded(look.mosaic)
    assert picture.shape == (rows * height, cols * width) and first == 0
    for unit in range(6):
        top, left = height * (unit // cols), width * (unit % cols)
        shown = made.engine.look(made.encoded(2), LiveRequest(layer="relu1", unit=unit, mosaic=False)).unit_map
        assert np.abs(picture[top : top + height, left : left + width].astype(int) - shown).mean() < 6


def test_a_pinned_unit_is_of_its_own_layer(made):
    """The maps are of one layer, the chosen unit of another, and both are what they are alone."""
    both = made.engine.look(made.encoded(4), LiveRequest(layer="relu3", unit=5, pinned_layer="relu1", project=True))
    alone = made.engine.look(made.encoded(4), LiveRequest(layer="relu1", unit=5, project=True))
    layer = made.engine.look(made.encoded(4), LiveRequest(layer="relu3"))
    assert (both.maxima, both.mosaic) == (layer.maxima, layer.mosaic)
    assert (both.value, both.row, both.col, both.projection) == (alone.value, alone.row, alone.col, alone.projection)
    assert both.unit_map.shape == (18, 22)


def test_a_silent_unit_has_no_projection(made):
    """A rectified unit at zero has a map and a value, and nothing to carry back."""
    black = io.BytesIO()
    Image.new("RGB", (48, 40)).save(black, "PNG")
    looks = [
        made.engine.look(black.getvalue(), LiveRequest(layer="relu2", unit=unit, project=True, mosaic=False))
        for unit in range(8)
    ]
    silent = [look for look in looks if look.value == 0]
    assert silent and all(look.projection is None and look.tile_box is None for look in silent)
    assert all(not look.unit_map.any() for look in silent)
    assert all(look.projection is not None for look in looks if look.value > 0)


def test_what_is_not_requested_is_not_sent(made):
    """Without mosaic, unit and projection there are none; classes and maxima are always there."""
    look = made.engine.look(made.encoded(0), LiveRequest(layer="relu1", mosaic=False))
    assert look.mosaic is look.mosaic_shape is look.unit_map is look.value is look.projection is look.box is None
    assert len(look.top) == 4 and len(look.maxima) == 6
    assert set(look.milliseconds) == {"decode", "prepare", "forward", "project", "encode"}
    assert look.milliseconds["project"] == 0 < look.milliseconds["forward"]


def test_where_the_input_lies_on_the_picture_is_told(made):
    """A wide picture is resized by its short side and cropped in the middle."""
    wide = io.BytesIO()
    Image.new("RGB", (200, 80)).save(wide, "PNG")
    look = made.engine.look(wide.getvalue(), LiveRequest(layer="relu1"))
    assert look.picture_size == (80, 200)
    assert look.seen == pytest.approx((0, 52, 80, 148))


@pytest.mark.parametrize(
    "asked, error, words",
    [
        (LiveRequest(layer="relu"), UsageError, "did you mean relu4"),
        (LiveRequest(layer="relu1", unit=6), UsageError, "units 0 to 5"),
        (LiveRequest(layer="relu1", unit=-1), UsageError, "no unit -1"),
        (LiveRequest(layer="relu3", unit=6, pinned_layer="relu1"), UsageError, "no unit 6"),
        (LiveRequest(layer="relu1", unit=1, pinned_layer="x"), UsageError, 'no layer "x"'),
        (LiveRequest(layer="relu1", method="lrp"), UnsupportedMethod, "deconvnet, guided, gradient"),
        (LiveRequest(layer="relu1", visible=(6, 9)), UsageError, "no units 6 to 8"),
    ],
)
def test_what_does_not_exist_is_refused_by_name(made, asked, error, words):
    """Layers, units, methods and ranges of units."""
    with pytest.raises(error, match=words):
        made.engine.look(made.encoded(0), asked)


def test_a_frame_has_narrower_limits_than_a_picture(made):
    """What passes as a picture is refused as a frame: bytes and sides."""
    request, large, heavy = LiveRequest(layer="relu1"), io.BytesIO(), io.BytesIO()
    Image.new("RGB", (1025, 20)).save(large, "PNG")
    noise = np.random.default_rng(0).integers(0, 256, (320, 320, 3), np.uint8)
    Image.fromarray(noise).save(heavy, "PNG")
    assert len(heavy.getvalue()) > FRAME_BYTES
    for encoded, words in ((large.getvalue(), "1024 x 1024"), (heavy.getvalue(), "256 are taken")):
        assert made.engine.look(encoded, request).maxima
        with pytest.raises(ImageError, match=words):
            made.engine.look(encoded, request, frame=True)


def test_the_whole_picture_agrees_with_single_looks(made, decoded):
    """Per layer the same strongest units, values and places; tiles as the library makes them, in the plate's box."""
    portrait = made.engine.whole(made.encoded(6), strongest=3)
    assert [layer.layer for layer in portrait.layers] == LAYERS == [layer.name for layer in made.engine.layers]
    with ls.open(made.atlas) as atlas:
        plates = {layer.name: layer.method for layer in atlas.layers}
    for layer in portrait.layers:
        seen = made.engine.look(made.encoded(6), LiveRequest(layer=layer.layer))
        assert tuple(firing.unit for firing in layer.firings) == seen.strongest[:3]
        for firing in layer.firings[:2]:
            look = made.engine.look(made.encoded(6), LiveRequest(layer=layer.layer, unit=firing.unit))
            assert (firing.value, firing.row, firing.col, firing.box) == (look.value, look.row, look.col, look.box)
            assert firing.relative == pytest.approx(look.value / look.unit_scale)
            assert tuple(firing.tiles) == METHODS.names
            place = (layer.layer, firing.unit, firing.row, firing.col)
            for method, encoded in firing.tiles.items():
                tile, box = by_the_library(made, 6, *place, method, placed_by=plates[layer.layer])
                assert firing.tile_box == box
                # Entries that are carried back in one batch differ from a single one in the last bits.
                assert np.abs(decoded(encoded).astype(int) - tile).max() <= 1


def test_the_whole_picture_shows_what_the_network_saw(made, decoded):
    """The prepared input itself, as the atlas's patches are cut from it; and the classes of a look."""
    portrait = made.engine.whole(made.encoded(8), strongest=1)
    assert np.array_equal(decoded(portrait.picture), show(made.prepared(8), made.net.input)[0])
    assert portrait.size == (40, 48) and portrait.picture_size == (96, 96)
    assert portrait.top == made.engine.look(made.encoded(8), LiveRequest(layer="relu1")).top


def test_two_viewers_are_never_mixed(made):
    """Threads with pictures and requests of their own get what they get alone, every time."""
    requests = [
        (0, LiveRequest(layer="relu1", unit=1, project=True)),
        (7, LiveRequest(layer="relu3", unit=2, pinned_layer="relu2", method="guided", project=True)),
        (9, LiveRequest(layer="relu4", unit=0, method="gradient", project=True)),
    ]
    alone = [plain(made.engine.look(made.encoded(image), request)) for image, request in requests]
    portrait = replace(made.engine.whole(made.encoded(3), strongest=2), milliseconds={})
    wrong: list[int] = []

    def watch(number: int) -> None:
        image, request = requests[number]
        encoded = made.encoded(image)
        for _ in range(12):
            if plain(made.engine.look(encoded, request)) != alone[number]:
                wrong.append(number)

    def ask() -> None:
        for _ in range(2):
            if replace(made.engine.whole(made.encoded(3), strongest=2), milliseconds={}) != portrait:
                wrong.append(-1)

    threads = [threading.Thread(target=watch, args=(n,)) for n in range(3)] + [threading.Thread(target=ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong and not any(thread.is_alive() for thread in threads)


def plain(look):
    """All of an answer but its times."""
    return (look.top, look.maxima, look.strongest, look.mosaic, look.unit_map.tobytes(), look.value, look.projection)


@pytest.mark.wide
def test_memory_does_not_grow_from_frame_to_frame(made):
    """After the first frames of each kind neither tensors nor bytes are left over."""
    requests = [
        LiveRequest(layer=layer, unit=0, method=METHODS.names[n % 3], project=True) for n, layer in enumerate(LAYERS)
    ]
    encoded = [made.encoded(image) for image in range(4)]

    def rounds(count: int) -> tuple[int, int]:
        for number in range(count * len(requests)):
            made.engine.look(encoded[number % 4], requests[number % len(requests)], frame=True)
        gc.collect()
        tensors = sum(type(found) is torch.Tensor for found in gc.get_objects())
        return tensors, tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        rounds(2)
        tensors, bytes_held = rounds(1)
        after = rounds(3)
    finally:
        tracemalloc.stop()
    assert after[0] == tensors
    assert after[1] - bytes_held < 20_000


def test_layers_are_those_of_the_atlas(made):
    """Name, kind, units and map; a dense layer is 1 x 1."""
    with ls.open(made.atlas) as atlas:
        wanted = [(layer.name, layer.kind, layer.units, *(layer.map or (1, 1))) for layer in atlas.layers]
    assert [(w.name, w.kind, w.units, w.rows, w.cols) for w in made.engine.layers] == wanted
    assert made.engine.methods == METHODS.names and made.engine.input_size == (40, 48)


def test_values_that_are_no_numbers_are_refused(made):
    """A network whose sums run over says so, rather than showing NaN."""
    weights = {name: weight * 1e30 for name, weight in made.net.program.weights.items()}
    with AtlasFile(made.atlas) as file:
        engine = InferenceEngine(file, type(made.net.program)(made.net.program.graph, weights), name="large")
    with pytest.raises(TraceError, match="not finite"):
        engine.look(made.encoded(0), LiveRequest(layer="relu3"))
