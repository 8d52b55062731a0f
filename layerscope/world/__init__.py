"""A generator of pictures whose content is known: what they show, on five levels, and where."""

from layerscope.world.concepts import CLASSES, CONCEPTS, Concept
from layerscope.world.files import write_world
from layerscope.world.folder import MaskFolder
from layerscope.world.scene import Scene, draw_pixels, draw_scene
from layerscope.world.world import World

__all__ = [
    "CLASSES",
    "CONCEPTS",
    "Concept",
    "MaskFolder",
    "Scene",
    "World",
    "draw_pixels",
    "draw_scene",
    "write_world",
]
