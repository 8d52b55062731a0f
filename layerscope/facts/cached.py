"""An atlas that does not change, with its answers to what many pages ask: each read once, so many of them kept."""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

from layerscope.atlas.records import AtlasLayerRecord, RunRecord
from layerscope.core.lru import LruCache
from layerscope.facts.wrapping import Reader, Withheld, Wrapper

# By question, how many answers are kept. Arrays of 2,048 units and 1,000 classes take 15 MB a layer.
KEPT = {
    "unit_statistics": 4,
    "class_means": 3,
    "scanned": 512,
    "all_peaks": 6,
    "neighbours": 6,
    "notes": 16,
    "concepts": 128,
    "labels": 128,
    "words": 128,
    "specificity": 256,
    "retention": 256,
    "sampled": 128,
    "statistic": 16,
    "units_with_sheets": 256,
    "image": 4096,
    "peak_labels": 16,
    "dissection": 1,
    "interventions": 1,
    "misfits": 1,
    "misfit_images": 1,
    "image_count": 1,
    "images_with_pictures": 1,
    "copies": 1,
    "copies_left_out": 1,
    "left_out": 1,
}


# What is made of answers, such as all names of a layer.
MOST_DERIVED = 1024


class Cached(Wrapper):
    """Reads as what it wraps does, and withholds what that withholds. While a build writes the file, nothing is kept.

    settled: True for a file that is known to give the same answers as long as it is open.
    """

    def __init__(self, file: Reader, *, settled: bool = False) -> None:
        super().__init__(file)
        self._known_settled = settled
        self._derived = LruCache[Any](MOST_DERIVED)
        self._answers = {name: LruCache[Any](most) for name, most in KEPT.items()}

    @cached_property
    def settled(self) -> bool:
        """Whether answers are kept."""
        return self._known_settled or self._file.finished

    @cached_property
    def _run(self) -> RunRecord:
        return self._file.run

    @property
    def run(self) -> RunRecord:
        """What made the atlas. Raises AtlasError while its build has only just begun."""
        return self._run if self.settled else self._file.run

    @cached_property
    def _layers(self) -> tuple[AtlasLayerRecord, ...]:
        return self._file.layers

    @property
    def layers(self) -> tuple[AtlasLayerRecord, ...]:
        """All layers, in execution order."""
        return self._layers if self.settled else self._file.layers

    def layer(self, name: str) -> AtlasLayerRecord:
        """The layer of this name, path or alias. Raises UsageError, with the nearest names, if there is none."""
        called = (layer for layer in self.layers if layer.name == name)
        return next(called, None) or self._file.layer(name)

    def derived(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is made of answers and asked for again, made once. key: what it is.

        make: asks the file, and for nothing else that is derived, which would wait for ever for itself.
        """
        return self._derived.get(key, make) if self.settled else make()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise Withheld(f"{name} is of the file's own")
        return self._keeping(name) if name in KEPT else getattr(self._file, name)

    def _keeping(self, name: str) -> Callable[..., Any]:
        ask = getattr(self._file, name)
        if not self.settled:
            return ask

        def kept(*asked: Any, **named: Any) -> Any:
            return self._answers[name].get((asked, *sorted(named.items())), lambda: ask(*asked, **named))

        return kept


def derived(file: Reader, key: Hashable, make: Callable[[], Any]) -> Any:
    """What is made of a file's answers: once, where these are kept."""
    return file.derived(key, make) if isinstance(file, Cached) else make()
