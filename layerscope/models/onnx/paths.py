"""Where a node stands in the network, by its name or by what the exporter wrote beside it.

Names in a file are anybody's text. They become paths of modules, which torch writes into code that it runs, and which
users type: what is neither letter, digit nor a mark without meaning is replaced.
"""

import ast
import keyword
import re
import unicodedata

from onnx import GraphProto, NodeProto
from torch import nn

# A module's path, piece by piece, each with its class: "" where nobody says it, HOLDER for what only holds others.
Scope = tuple[tuple[str, str], ...]

HOLDER = "-"

_OTHER = re.compile(r"[^\w \-:;+=#$%/~()]")
_LONGEST = 120
_SCOPES, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_TAKEN = frozenset(dir(nn.Module())) | {"T_destination", "steps", "given", "gives"}


class Scopes:
    """Where the nodes of one graph stand. root: the pieces that all names have before a slash, which tell nothing.

    called: the ending that Keras gives each layer when it calls a network once more ("_1"), else "".
    """

    def __init__(self, graph: GraphProto) -> None:
        names = [node.name for node in graph.node if "/" in node.name and not node.name.startswith("/")]
        apart = [_parts(name)[:-1] for name in names]
        root: list[str] = []
        while apart and all(len(parts) > 1 and parts[0] == apart[0][0] for parts in apart if parts):
            apart = [parts for parts in apart if parts]
            root.append(apart[0][0])
            apart = [parts[1:] for parts in apart]
        self.root = tuple(root)
        # Where others say where they stand, a node that does not was put in between: it stands with what it reads.
        self.has_scopes = bool(root) or any(node.name.startswith("/") or _scope_of_torch(node) for node in graph.node)
        again = bool(root) and root[-1].endswith("_1") and all(parts[0].endswith("_1") for parts in apart)
        self.called = "_1" if again else ""

    def of(self, node: NodeProto) -> Scope | None:
        """The modules around a node, outermost first, the last its own; None for a node that stands with its input."""
        return _scope_of_torch(node) or self._of_its_weight(node) or self._named(node)

    def _of_its_weight(self, node: NodeProto) -> Scope:
        """What the name of its weights says in TensorFlow's way: a layer, how it reads them, that it reads them."""
        if node.op_type not in _WEIGHTED or len(node.input) < 2 or not self.root:
            return ()
        parts = _parts(node.input[1])
        ours = len(parts) > len(self.root) + 2 and tuple(parts[: len(self.root)]) == self.root
        return self._layer(parts[len(self.root) : -2]) if ours else ()

    def _named(self, node: NodeProto) -> Scope | None:
        """What a name says: parts before a slash are modules of torch's or Keras' (the last names the operation)."""
        name = node.name.split(";")[0] or next((one for one in node.output if one), "")
        if "/" not in name.strip("/") and not name.startswith("/"):
            if self.has_scopes:
                return None
            return _pieces([(name if not name.isdecimal() else f"{node.op_type}_{name}", "")]) if name else ()
        parts = _parts(name)[:-1]
        if self.root and not name.startswith("/"):
            return self._layer(parts[len(self.root) :] if tuple(parts[: len(self.root)]) == self.root else parts)
        found, before = [], ""
        for part in parts:
            # torch repeats the container's name before that of its part: layer1/layer1.0.
            found.append((part.removeprefix(f"{before}.") if before else part, ""))
            before = part
        return _pieces(found)

    def _layer(self, parts: list[str]) -> Scope:
        return _pieces([(part.removesuffix(self.called) if not at else part, "") for at, part in enumerate(parts)])


def _parts(name: str) -> list[str]:
    return [part for part in name.split(";")[0].split("/") if part]


def _scope_of_torch(node: NodeProto) -> Scope:
    """What torch's exporter says: the paths and classes of the modules around."""
    said = {entry.key: entry.value for entry in node.metadata_props}
    try:
        paths, classes = (ast.literal_eval(said[key]) for key in (_SCOPES, _CLASSES))
    except (KeyError, ValueError, SyntaxError, RecursionError, MemoryError):
        return ()
    found, before = [], ""
    for path, kind in list(zip(paths, classes, strict=False))[:-1]:
        if not isinstance(path, str) or not isinstance(kind, str):
            return ()
        if path and path != before:
            piece = path.removeprefix(f"{before}.") if before else path
            found.append((piece, kind))
            before = path
    return _pieces(_own_path(node, found))


def _own_path(node: NodeProto, found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """A convolution that took in the normalisation behind it stands where its weights say."""
    weight = node.input[1] if len(node.input) > 1 else ""
    around = ".".join(piece for piece, _ in found[:-1])
    path, ending, rest = weight.rpartition(".weight")
    if not (found and ending and not rest and node.op_type in ("Conv", "ConvTranspose")):
        return found
    inside = path.removeprefix(f"{around}.") if around else path
    apart = "." in inside or (around and not path.startswith(f"{around}."))
    return found if apart else [*found[:-1], (inside, "")]


def _pieces(found: list[tuple[str, str]]) -> Scope:
    """Pieces with a dot in them are several, of which the last has the class."""
    apart: list[tuple[str, str]] = []
    for piece, kind in found:
        *heads, last = piece.split(".")
        apart += [*((safe(head), HOLDER) for head in heads), (safe(last), kind)]
    return tuple(apart)


def safe(piece: str) -> str:
    """A piece of a name that a module can have: a text without what means something to torch, Python or a shell."""
    kept = _OTHER.sub("_", unicodedata.normalize("NFKC", piece)).strip()[:_LONGEST] or "_"
    return f"{kept}_" if kept in _TAKEN or keyword.iskeyword(kept) else kept
