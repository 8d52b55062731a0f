"""Names of a file and of a network meet by where most tensors fit."""

from layerscope.models.naming import alignments

SHAPES = {"a.weight": (4, 3, 3, 3), "a.bias": (4,), "b.weight": (2, 4, 1, 1), "b.bias": (2,)}


def test_names_that_fit_stay_as_they_are() -> None:
    """Each is its own, and nothing stands before them."""
    (found,) = alignments(SHAPES, SHAPES)
    assert found.prefix == found.onto == "" and found.names == {name: name for name in SHAPES}


def test_a_beginning_may_stand_before_some_names_only() -> None:
    """The names that have it lose it, the others stay."""
    file = {f"net.{name}" if name.startswith("a") else name: shape for name, shape in SHAPES.items()}
    (found,) = alignments(file, SHAPES)
    assert found.names == {
        "a.weight": "net.a.weight",
        "a.bias": "net.a.bias",
        "b.weight": "b.weight",
        "b.bias": "b.bias",
    }


def test_beginnings_may_stand_on_both_sides() -> None:
    """The file's `old.body.` is the network's `new.`; what else the network has is not in the file."""
    file = {f"old.body.{name}": shape for name, shape in SHAPES.items()} | {"old.head.weight": (9, 2)}
    wanted = {f"new.{name}": shape for name, shape in SHAPES.items()} | {"own.weight": (5, 2)}
    (found,) = alignments(file, wanted)
    assert (found.prefix, found.onto) == ("old.body", "new")
    assert found.names == {f"new.{name}": f"old.body.{name}" for name in SHAPES}


def test_two_copies_are_two_ways() -> None:
    """Where two beginnings fit alike, both are given."""
    file = {f"{side}.{name}": shape for side in ("q", "k") for name, shape in SHAPES.items()}
    assert [found.prefix for found in alignments(file, SHAPES)] == ["q", "k"]


def test_a_module_that_is_called_as_a_wrapper_is_itself() -> None:
    """A network whose own module is called `module` keeps it, beside one that it would be mistaken for."""
    shapes = {"module.a.weight": (4, 3, 3, 3), "a.weight": (2, 4, 3, 3)}
    (found,) = alignments(shapes, shapes)
    assert found.names == {name: name for name in shapes}


def test_shapes_decide_and_not_names_alone() -> None:
    """The beginning under which the shapes are right is taken, though under another all names are there too."""
    narrow = {f"small.{name}": tuple(2 * size for size in shape) for name, shape in SHAPES.items()}
    file = narrow | {f"large.{name}": shape for name, shape in SHAPES.items()}
    assert [found.prefix for found in alignments(file, SHAPES)] == ["large"]
