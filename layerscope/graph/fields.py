"""Receptive fields: each node's windows, seen through the windows of all that comes before it."""

from layerscope.core.errors import UnalignedBranches
from layerscope.core.geometry import IDENTITY, Field, Rational, Window
from layerscope.graph.graph import Graph, Node


def fields_of(graph: Graph) -> dict[int, Field]:
    """The field of every node that can be run, in px of the network's input.

    An operation without a true window (uneven adaptive pooling), or branches whose steps differ, makes the field the
    whole picture from there on; the field's note says why. A gate that sees the whole picture, or a normalisation by
    the statistics of a map, leaves the field as it is, and the field says what lies beyond it. Nothing is known of
    what an operation without a row sees: behind it the field is the whole picture.
    """
    height, width = graph.nodes[0].shape[-2:]
    fields = {0: Field(rows=IDENTITY, cols=IDENTITY)}
    for node in graph.nodes[1:]:
        if not graph.behind[node.id]:
            fields[node.id] = _field(graph, node, fields, (height, width))
        elif not graph.lost[node.id]:
            first = graph.nodes[min(graph.behind[node.id])]
            note = f'behind "{first.name}", of which nothing is known: {first.op}, {first.refused}'
            fields[node.id] = Field(rows=Window.whole(height), cols=Window.whole(width), note=note)
    return fields


def _field(graph: Graph, node: Node, fields: dict[int, Field], input_size: tuple[int, int]) -> Field:
    windows = graph.op(node).window(graph.call(node))
    parts = [_seen_through(window, fields[source]) for window, source in zip(windows, node.sources, strict=True)]
    beyond = next((fields[source].beyond for source in node.sources if fields[source].beyond), "")
    far = [i for i, window in enumerate(windows) if window.beyond and (parts[i].sees_all or len(parts) == 1)]
    if far:
        beyond = beyond or f"{node.name} {windows[far[0]].beyond}"
        parts = [part for i, part in enumerate(parts) if i not in far] or parts
    note = next((part.note for part in parts if part.note), "") or _mirrored(graph, node, windows)
    if note:
        return Field(rows=Window.whole(input_size[0]), cols=Window.whole(input_size[1]), note=note)
    counts = node.shape[-2:] if len(node.shape) > 1 else (1, 1)
    try:
        rows, cols = parts[0].rows, parts[0].cols
        for part in parts[1:]:
            rows, cols = rows.hull(part.rows, counts[0]), cols.hull(part.cols, counts[1])
    except UnalignedBranches as error:
        return Field(rows=Window.whole(input_size[0]), cols=Window.whole(input_size[1]), note=f"at {node.name} {error}")
    return Field(rows=rows, cols=cols, beyond=beyond)


def _mirrored(graph: Graph, node: Node, windows: tuple[Field, ...]) -> str:
    """Why the field behind padding that mirrors the border is the whole picture, where a reader sees too little."""
    least = next((window.least for window in windows if window.least != (1, 1)), None)
    if least is None:
        return ""
    for reader in (graph.nodes[reader] for reader in graph.consumers[node.id]):
        if reader.refused:
            continue
        seen = graph.op(reader).window(graph.call(reader))
        read = [window for window, source in zip(seen, reader.sources, strict=True) if source == node.id]
        if any(size < most for window in read for size, most in zip(_sizes(window), least, strict=True)):
            return f"at {node.name} a map is mirrored further than what reads it can see"
    return ""


def _sizes(window: Field) -> tuple[Rational, Rational]:
    return window.rows.size, window.cols.size


def _seen_through(window: Field, source: Field) -> Field:
    note = source.note or window.note
    return Field(rows=window.rows.after(source.rows), cols=window.cols.after(source.cols), note=note)
