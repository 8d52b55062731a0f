"""Where a node stands in the network, by its name or by what the exporter wrote beside it.

Names in a file are anybody's text. They become paths of modules, which torch writes into code that it runs, and which
users type: what is neither letter, digit nor a mark without meaning is replaced.
"""

import ast
import keyword
import re
import unicodedata

from onnx import NodeProto
from torch import nn

# A module's path, piece by piece, each with its class: "" where nobody says it, HOLDER for what only holds others.
Scope = tuple[tuple[str, str], ...]

HOLDER = "-"

_OTHER = re.compile(r"[^\w \-:;+=#$%/~()]")
_LONGEST = 120
_SCOPES, _CLASSES = "pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy"
_TAKEN = frozenset(dir(nn.Module())) | {"T_destination", "steps", "given", "gives"}


def scope_of(node: NodeProto) -> Scope:
    """The modules around a node, outermost first, the last its own."""
    return _told_by_torch(node) or _named(node)


def _told_by_torch(node: NodeProto) -> Scope:
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


def _named(node: NodeProto) -> Scope:
    """What a name says: parts before a slash are modules of torch's or Keras' (the last names the operation)."""
    name = node.name.split(";")[0] or next((one for one in node.output if one), "")
    parts = [part for part in name.split("/") if part]
    if "/" not in name.strip("/") and not name.startswith("/"):
        return _pieces([(name if not name.isdecimal() else f"{node.op_type}_{name}", "")]) if name else ()
    found, before = [], ""
    for part in parts[:-1]:
        # torch repeats the container's name before that of its part: layer1/layer1.0.
        piece = part.removeprefix(f"{before}.") if before else part
        found.append((piece, ""))
        before = part
    return _pieces(found)


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
