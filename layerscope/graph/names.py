"""Names of nodes: the innermost module path; further calls and functions are told apart by number.

`features.4` is the node of a module; `relu@2` the second call of a module that is used twice; `layer1.0.add_1` the
first functional addition within its module. A name never depends on anything but the model's own code.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from torch.fx import Node as FxNode

# Where the classes of layers stand that are nobody's own code, ours for the layers of Keras among them: what leaves
# such a layer bears its name.
LAYERS = ("torch.nn.", "layerscope.models.keras.")


def modules_of(fx: FxNode) -> list[tuple[str, str, str]]:
    """The modules around a call, outermost first: (key of the module's call, path, class); the root is left out."""
    stack = fx.meta.get("nn_module_stack") or {}
    found = [(key, *value) for key, value in stack.items() if not key.startswith("_empty")]
    return [(key, path, _class_name(kind)) for key, path, kind in found if path]


def _class_name(kind: object) -> str:
    return kind if isinstance(kind, str) else f"{kind.__module__}.{kind.__qualname__}"  # type: ignore[attr-defined]


def _numbered(keys: list[str]) -> dict[str, int]:
    """The number of each call of one module, by its key, in which torch counts them from 0: also those that left no
    operation, since they only view their map. Where keys count nothing, by their order."""
    counts = [key.partition("@")[2] for key in keys]
    numbers = [int(count) + 1 if count.isdigit() else 1 for count in counts]
    in_order = range(1, len(keys) + 1)
    return dict(zip(keys, numbers if len({*numbers}) == len(keys) else in_order, strict=True))


class Namer:
    """Gives names to calls, in execution order, once it has seen all of them."""

    def __init__(self, calls: Iterable[FxNode]) -> None:
        self.last: dict[str, FxNode] = {}
        self.counts: Counter[str] = Counter()
        keys: dict[str, list[str]] = defaultdict(list)
        for fx in calls:
            for key, path, _ in modules_of(fx):
                if key not in keys[path]:
                    keys[path].append(key)
            for key, _, _ in modules_of(fx)[-1:]:
                self.last[key] = fx
        self.number = {key: number for seen in keys.values() for key, number in _numbered(seen).items()}

    def name(self, fx: FxNode, target: object) -> tuple[str, str, tuple[tuple[str, str], ...]]:
        """The name of a call of `target`, its innermost module path, and the modules around it as (path, class)."""
        modules = modules_of(fx)
        around = tuple((path, kind) for _, path, kind in modules)
        if not modules:
            return self._functional(target, ""), "", around
        key, path, kind = modules[-1]
        if kind.startswith(LAYERS) and self.last[key] is fx:
            return self._call(key, path), path, around
        return self._functional(target, path), path, around

    def calls(self, fx: FxNode) -> tuple[str, ...]:
        """The calls of the modules around it, outermost first: each by its path, a further one as path@2."""
        return tuple(self._call(key, path) for key, path, _ in modules_of(fx))

    def _call(self, key: str, path: str) -> str:
        return path if self.number[key] == 1 else f"{path}@{self.number[key]}"

    def _functional(self, target: object, path: str) -> str:
        op = str(target).removeprefix("aten.").removeprefix("layerscope.").split(".")[0].lstrip("_")
        stem = f"{path}.{op}" if path else op
        self.counts[stem] += 1
        return f"{stem}_{self.counts[stem]}"
