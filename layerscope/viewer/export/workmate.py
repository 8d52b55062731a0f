"""A process that makes files of an export: it reads what to make from its input, and writes it to its output."""

import hashlib
import os
import pickle
import signal
import sys
from pathlib import Path
from typing import IO, NamedTuple

from layerscope.viewer.export.choice import ExportChoice
from layerscope.viewer.export.edition import Edition, EditionBook
from layerscope.viewer.export.plan import Plan
from layerscope.viewer.export.snapshot import state_of
from layerscope.viewer.shelf import slugs_of

# Of a number of bytes, before as many bytes.
WIDTH = 8


class Publication(NamedTuple):
    """What of which atlas is published."""

    path: Path
    choice: ExportChoice


def sent(pipe: IO[bytes], content: bytes) -> None:
    """Write so many bytes that the other end knows where they end."""
    pipe.write(len(content).to_bytes(WIDTH, "big"))
    pipe.write(content)
    pipe.flush()


def received(pipe: IO[bytes]) -> bytes:
    """What the other end sent. Raises EOFError where it has ended."""
    head = pipe.read(WIDTH)
    size = int.from_bytes(head, "big")
    content = pipe.read(size) if len(head) == WIDTH else b""
    if len(head) < WIDTH or len(content) < size:
        raise EOFError("the other process has ended")
    return content


def listed(plan: Plan) -> str:
    """A digest of the paths of a plan's files: other pages, or another choice, have another."""
    return hashlib.sha256("\0".join(piece.path for piece in plan.pieces).encode()).hexdigest()


def serve(orders: IO[bytes], answers: IO[bytes]) -> None:
    """Make files until the other end is gone."""
    order: Publication = pickle.loads(received(orders))
    with Edition(order.path, order.choice) as edition:
        plan = Plan(EditionBook(slugs_of([edition.path])[0], edition))
        sent(answers, pickle.dumps((state_of(edition.path), listed(plan))))
        while True:
            try:
                group: range = pickle.loads(received(orders))
            except EOFError:
                return
            sent(answers, _answer(plan, group))


def _answer(plan: Plan, group: range) -> bytes:
    try:
        return pickle.dumps([plan.content(plan.pieces[place]) for place in group])
    except Exception as error:  # told by the process that writes
        return pickle.dumps(error)


def main() -> None:
    """Ctrl-C is the writer's matter, and what anybody prints is no answer."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
