"""`layerscope serve`: atlases as pages in the browser, at one address of this machine. No torch."""

from typing import TYPE_CHECKING

import layerscope as ls
from layerscope.cli.output import Output, flush
from layerscope.cli.parser import Command

if TYPE_CHECKING:
    from layerscope.api.serving import Served


def run(command: Command, output: Output) -> int:
    """Serve until Ctrl-C."""
    return tell(ls.serve(**command.values), output)


def tell(served: "Served", output: Output) -> int:
    """Print the address, now that pages can be had, and serve until Ctrl-C."""
    for sentence in served.remarks:
        output.remark(sentence)
    output.remark("Ctrl-C ends it")
    output.result({"address": served.address}, served.address)
    flush()
    served.wait()
    return 0
