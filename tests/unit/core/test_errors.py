"""The tree of errors is drawn as it is, and mistyped names get a suggestion."""

import inspect
import re

from layerscope.core import errors
from layerscope.core.errors import LayerscopeError, nearest


def _drawn() -> dict[str, str]:
    """Class -> its parent, as the tree in the module's docstring shows them."""
    parents, path = {}, {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ([│├└─ ]*)(\w+)", line)
        if found and found[2] in vars(errors):
            depth = len(found[1]) // 4
            path[depth] = found[2]
            parents[found[2]] = path.get(depth - 1, "Exception")
    return parents


def test_the_drawn_tree_is_the_tree() -> None:
    """Every class stands in the drawing under its parent, and nothing else does."""
    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and kind.__module__ == errors.__name__
    }
    assert _drawn() == {name: kind.__bases__[0].__name__ for name, kind in classes.items()}
    assert all(issubclass(kind, LayerscopeError) and kind.__doc__ for kind in classes.values())


def test_close_names_are_suggested() -> None:
    """A clause with up to three of the nearest names; nothing where none is near."""
    assert nearest("features.3", ["features.30", "classifier"]) == "; did you mean features.30?"
    assert nearest("conv", ["conv1", "conv2", "conv3", "conv4"]).count(" or ") == 2
    assert nearest("zebra", ["conv1", "pool"]) == ""
    assert nearest("conv2", ["conv1", "conv2"], {"conv2": "net:"}) == "; did you mean net:conv2?"
