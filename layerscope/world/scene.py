"""One picture of the world: a ground, company, an object of known class, and light; all of it from (seed, index, size).

Ground, company and colours are chosen before the object, so that they cannot tell its class.
"""

from dataclasses import dataclass
from random import Random

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from PIL import Image

from layerscope.world import animals, objects
from layerscope.world.again import SceneAgain
from layerscope.world.backgrounds import Grounds, ground, single
from layerscope.world.canvas import Canvas, Style
from layerscope.world.colours import Palette
from layerscope.world.concepts import CLASSES
from layerscope.world.masks import concept_masks
from layerscope.world.render import lit, paint

DRAW = {
    "bicycle": objects.bicycle,
    "bird": animals.bird,
    "boat": objects.boat,
    "butterfly": animals.butterfly,
    "car": objects.car,
    "cat face": animals.cat_face,
    "clock": objects.clock,
    "dog face": animals.dog_face,
    "fish": animals.fish,
    "flower": objects.flower,
    "house": objects.house,
    "keyboard": objects.keyboard,
    "person": animals.person,
    "snail": animals.snail,
    "tree": objects.tree,
    "umbrella": objects.umbrella,
}
FREE = frozenset(("butterfly", "keyboard"))  # lie at any angle; the others stand upright
TILT = 18.0  # degrees, at most


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """A picture whose content is known.

    pixels: RGB; label: the object's class, in CLASSES; masks: where each of CONCEPTS is seen.
    """

    pixels: UInt8[np.ndarray, "size size 3"]
    label: int
    masks: Bool[np.ndarray, "concepts size size"]


def label_of(seed: int, index: int) -> int:
    """The class of a picture: all classes in each run of len(CLASSES) pictures, in an order of its own."""
    run, place = divmod(index, len(CLASSES))
    order = list(range(len(CLASSES)))
    Random(f"labels {seed} {run}").shuffle(order)
    return order[place]


def draw_scene(seed: int, index: int, size: int = 64) -> Scene:
    """Picture `index` of a world, with its masks; no other picture is needed. size: of its sides [px]."""
    drawn = scene_again(seed, index, size)
    return Scene(
        pixels=drawn.pixels, label=label_of(seed, index), masks=concept_masks(drawn.canvas, drawn.pixels)
    )  # fmt: skip


def scene_again(seed: int, index: int, size: int = 64) -> SceneAgain:
    """The same picture with what it was painted of, to be drawn again otherwise."""
    canvas, light, blur = _composed(seed, index, size, marking=True)
    return SceneAgain(canvas, lit(paint(canvas.stamps, size), light, blur), light, blur)


def draw_pixels(seed: int, index: int, size: int = 64) -> UInt8[np.ndarray, "size size 3"]:
    """The same picture without its masks, which take longer than it does."""
    canvas, light, blur = _composed(seed, index, size, marking=False)
    return lit(paint(canvas.stamps, size), light, blur)


def _composed(
    seed: int, index: int, size: int, *, marking: bool
) -> tuple[Canvas, Float32[np.ndarray, "size size 1"], float]:
    """What is painted, and light and blur of the finished picture."""
    random = Random(f"scene {seed} {index}")
    canvas = Canvas(size, random, Palette(random), marking)
    light, blur = _light(random, size), random.choice((0.0, 0.0, random.uniform(0.3, 0.6))) * size / 64
    compose(canvas, CLASSES[label_of(seed, index)])
    return canvas, light, blur


def compose(canvas: Canvas, name: str) -> None:
    """Paint a whole picture with an object of a class."""
    random = canvas.random
    grounds = ground(canvas)
    for _ in range(random.choice((0, 1, 2, 2, 3))):
        single(canvas, complex(random.random(), random.random()), random.uniform(0.1, 0.23), grounds)
    before = random.choice((0, 0, 0, 1, 1, 2))
    sides = [(_edge_place(random), random.uniform(0.07, 0.13)) for _ in range(before)]
    half = 0.5 * random.uniform(0.5, 0.92)
    slack = max(0.5 - 0.85 * half, 0.0)
    place = 0.5 + 0.5j + complex(random.uniform(-slack, slack), random.uniform(-slack, slack))
    angle = random.uniform(0, 360) if name in FREE else random.uniform(-TILT, TILT)
    with (
        canvas.drawn(_style(canvas, grounds)),
        canvas.frame(place, half, angle, flip=random.random() < 0.5, squeeze=random.uniform(0.85, 1.18)),
    ):
        DRAW[name](canvas, grounds)
    for corner, radius in sides:
        single(canvas, corner, radius, grounds)


def _style(canvas: Canvas, grounds: Grounds) -> Style:
    """Areas of colour, with or without contours, or a line drawing."""
    kind = canvas.random.choice(("areas", "areas", "contours", "contours", "lines"))
    if kind == "areas":
        return Style()
    paper = canvas.palette.any()
    width = canvas.random.uniform(0.02, 0.034)
    if kind == "contours":
        return Style(contour=canvas.palette.against(*grounds, gap=26), width=width)
    return Style(contour=canvas.palette.against(paper, *grounds, gap=30), paper=paper, width=width)


def _edge_place(random: Random) -> complex:
    """A place near the border."""
    along, off = random.random(), random.uniform(0.0, 0.1)
    side = random.choice((0, 1, 2, 3))
    off = off if side % 2 else 1 - off
    return complex(along, off) if side < 2 else complex(off, along)


def _light(random: Random, size: int) -> Float32[np.ndarray, "size size 1"]:
    """Bright or dim, brighter towards one side, with soft shadows."""
    level, slope = random.uniform(0.75, 1.12), random.uniform(0.0, 0.2)
    angle = random.uniform(0, 2 * np.pi)
    places = (np.arange(size, dtype=np.float32) + 0.5) / size - 0.5
    tilt = slope * (np.cos(angle) * places[None, :] + np.sin(angle) * places[:, None])
    coarse = np.array([[random.uniform(-0.06, 0.06) for _ in range(4)] for _ in range(4)], np.float32)
    clouds = np.asarray(Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC))
    return (level + tilt + clouds)[..., None].astype(np.float32)
