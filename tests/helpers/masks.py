"""The drawn world's scenes, written in the forms in which people have masks: slowly, and by nothing of the package.

Of all concepts those of level 5 and 3 are taken: a picture has one of level 5, and some of level 3 that may overlap it.
"""

import json
import struct
import zlib
from collections.abc import Sequence
from copy import copy
from pathlib import Path

import numpy as np
from PIL import Image

from layerscope.world import CONCEPTS, World

OBJECTS = [place for place, concept in enumerate(CONCEPTS) if concept.level == 5]
PATTERNS = [place for place, concept in enumerate(CONCEPTS) if concept.level == 3]


class Scenes:
    """The first scenes of a world, drawn once. masks: bool[scenes, concepts, h, w]."""

    def __init__(self, count: int, size: int) -> None:
        world = World(count, seed=4, size=size)
        self.pictures = [np.asarray(world[image][0]) for image in range(count)]
        self.labels = [world[image][1] for image in range(count)]
        self.masks = np.stack([world.masks(image) for image in range(count)])

    def __len__(self) -> int:
        return len(self.pictures)

    def holding(self, chosen: Sequence[int]) -> "Scenes":
        """Those that show any of these concepts."""
        some = copy(self)
        kept = np.flatnonzero(self.masks[:, list(chosen)].any((1, 2, 3))).tolist()
        some.pictures, some.labels = [self.pictures[k] for k in kept], [self.labels[k] for k in kept]
        some.masks = self.masks[kept]
        return some


class Chosen:
    """Scenes of which only some concepts are known, as `layerscope.dissect` takes what is known of drawn pictures."""

    def __init__(self, scenes: Scenes, chosen: Sequence[int]) -> None:
        self._masks = scenes.masks[:, list(chosen)]
        self.concepts = [CONCEPTS[place] for place in chosen]

    def masks(self, image: int) -> np.ndarray:
        return self._masks[image]


def pictures_to(folder: Path, scenes: Scenes) -> list[str]:
    """The pictures as PNG files; their names."""
    folder.mkdir(parents=True)
    names = [f"{image:03d}.png" for image in range(len(scenes))]
    for image, name in enumerate(names):
        Image.fromarray(scenes.pictures[image]).save(folder / name)
    return names


def runs_of(mask: np.ndarray) -> list[int]:
    """A mask's runs down its columns, the first outside; one px after the other."""
    runs, last = [0], False
    for px in mask.T.ravel().tolist():
        if px != last:
            runs.append(0)
            last = px
        runs[-1] += 1
    return runs


def packed(runs: Sequence[int]) -> str:
    """Runs as COCO's letters: five bits a letter, the lowest first, each from the fourth on less the last but one."""
    letters = []
    for place, run in enumerate(runs):
        left = run - runs[place - 2] if place > 2 else run
        while True:
            bits, left = left & 31, left >> 5
            more = left != (-1 if bits & 16 else 0)
            letters.append(chr(48 + bits + 32 * more))
            if not more:
                break
    return "".join(letters)


def write_coco(folder: Path, scenes: Scenes, chosen: Sequence[int]) -> Path:
    """As a COCO instances file with runs, every other one in letters, beside images/."""
    names = pictures_to(folder / "images", scenes)
    annotations = []
    for image in range(len(scenes)):
        masks = scenes.masks[image]
        for place in chosen:
            if masks[place].any():
                runs = runs_of(masks[place])
                counts = packed(runs) if len(annotations) % 2 else runs
                region = {"size": list(masks[place].shape), "counts": counts}
                number = len(annotations) + 1
                annotations.append({"id": number, "image_id": 7 * image, "category_id": 10 + place,
                                    "segmentation": region, "iscrowd": number % 5 == 0})  # fmt: skip
    sizes = [picture.shape[:2] for picture in scenes.pictures]
    images = [{"id": 7 * image, "file_name": name, "height": h, "width": w}
              for image, (name, (h, w)) in enumerate(zip(names, sizes, strict=True))]  # fmt: skip
    categories = [{"id": 10 + place, "name": CONCEPTS[place].name, "supercategory": f"level {CONCEPTS[place].level}"}
                  for place in chosen]  # fmt: skip
    file = folder / "instances_drawn.json"
    # The annotations stand first: nothing may depend on the order of the lists.
    file.write_text(json.dumps({"annotations": annotations, "images": images, "categories": categories}))
    return file


def write_folders(folder: Path, scenes: Scenes, *, masks: str = "masks", table: str = "names.csv") -> Path:
    """Objects as masks of numbers: in turn gray of 8 and of 16 bits, and with a palette whose colours say nothing."""
    names = pictures_to(folder / "images", scenes)
    (folder / masks).mkdir()
    for image, name in enumerate(names):
        known = scenes.masks[image]
        numbers = np.zeros(known.shape[1:], np.uint16)
        for number, place in enumerate(OBJECTS, start=1):
            numbers[known[place]] = number
        write_numbers(folder / masks / name, numbers, ("gray", "deep", "palette")[image % 3])
    listed = [(str(number), CONCEPTS[place].name) for number, place in enumerate(OBJECTS, start=1)]
    if table == "names.csv":
        (folder / table).write_text("number,name\n" + "\n".join(map(",".join, listed)))
    else:
        lines = [f"{number}\t0.1\t10\t1\t{int(number) % 2}\t{name}" for number, name in listed]
        (folder / table).write_text("Idx\tRatio\tTrain\tVal\tStuff\tName\n" + "\n".join(lines))
    return folder


def write_numbers(path: Path, numbers: np.ndarray, way: str) -> None:
    """A mask of numbers: "gray", "deep" (16 bits) or "palette"."""
    if way == "deep":
        Image.fromarray(numbers.astype(np.uint16)).save(path)
        return
    picture = Image.fromarray(numbers.astype(np.uint8))
    if way == "palette":
        picture.putpalette(bytes(np.random.default_rng(0).integers(0, 256, 768, np.uint8)))
    picture.save(path)


def write_broden(folder: Path, scenes: Scenes, columns: Sequence[str], *, larger: int = 1) -> Path:
    """Of these columns: objects in one mask; patterns, as parts, in as many as it takes; the class of each picture as
    its scene. Pictures are `larger` times as large as masks."""
    (folder / "images").mkdir(parents=True)
    numbers = {place: number for number, place in enumerate([*OBJECTS, *PATTERNS], start=300)}
    lines = [f"image,split,ih,iw,sh,sw,{','.join(columns)}"]
    for image in range(len(scenes)):
        known, pixels = scenes.masks[image], scenes.pictures[image]
        h, w = known.shape[1:]
        Image.fromarray(pixels.repeat(larger, 0).repeat(larger, 1)).save(folder / "images" / f"{image:03d}.png")
        held = {"scene": str(1 + [CONCEPTS[place].name for place in OBJECTS].index(scenes.labels[image]))}
        for category, places in (("object", OBJECTS), ("part", PATTERNS)):
            files = []
            for mask in apart([known[place] * numbers[place] for place in places if known[place].any()]):
                files.append(f"{image:03d}_{category}_{len(files)}.png")
                rgb = np.stack([mask % 256, mask // 256, 0 * mask], -1).astype(np.uint8)
                Image.fromarray(rgb).save(folder / "images" / files[-1])
            held[category] = ";".join(files)
        lines.append(f"{image:03d}.png,train,{h * larger},{w * larger},{h},{w},{','.join(held[c] for c in columns)}")
    (folder / "index.csv").write_text("\n".join(lines))
    labels = ["number,name,category,frequency,coverage,syns", "0,-,,0,0,"]
    labels += [f"{1 + n},in {CONCEPTS[place].name},scene(1),1,1,x" for n, place in enumerate(OBJECTS)]
    labels += [f"{n},{CONCEPTS[place].name},{'object' if place in OBJECTS else 'part'}(3);color(1),1,1,x"
               for place, n in numbers.items()]  # fmt: skip
    (folder / "label.csv").write_text("\n".join(labels))
    return folder


def apart(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As few planes as it takes for masks that may overlap, one after the other."""
    planes: list[np.ndarray] = []
    for mask in masks:
        free = next((plane for plane in planes if not (plane.astype(bool) & mask.astype(bool)).any()), None)
        if free is None:
            planes.append(mask.copy())
        else:
            free += mask
    return planes


def png(numbers: np.ndarray, bits: int, kind: int = 0, palette: bytes = b"") -> bytes:
    """A PNG with so many bits of each number, written by hand: kind 0 is gray, 3 has a palette."""
    rows, cols = numbers.shape
    lines = b""
    for row in numbers.tolist():
        text = "".join(f"{number:0{bits}b}" for number in row)
        lines += b"\0" + int(text.ljust(-(-len(text) // 8) * 8, "0"), 2).to_bytes(-(-len(text) // 8), "big")

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", cols, rows, bits, kind, 0, 0, 0))
    colours = chunk(b"PLTE", palette) if palette else b""
    return b"\x89PNG\r\n\x1a\n" + head + colours + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
