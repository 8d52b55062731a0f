"""`layerscope serve`: atlases as pages in the browser, at one address of this machine. No torch."""

import argparse

from layerscope.cli.output import Output, flush
from layerscope.viewer.engine import Engine
from layerscope.viewer.guard import is_loopback
from layerscope.viewer.serving import Running, has_display, open_browser, shelf_below
from layerscope.viewer.shelf import Shelf


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Serve until Ctrl-C."""
    return serve(shelf_below(arguments.atlas, arguments.base), arguments, output)


def serve(shelf: Shelf, arguments: argparse.Namespace, output: Output, *, engine: Engine | None = None) -> int:
    """Print the address once pages can be had, open it, serve until Ctrl-C.

    arguments: with host, port, base, name and no_browser. engine: a network for the live pages.
    """
    place = {"host": arguments.host, "port": arguments.port, "base": arguments.base}
    running = Running(shelf, **place, public=arguments.name or (), engine=engine)
    for book in shelf:
        if not book.finished:
            output.remark(f"{book.file.path.name} is unfinished: its pages show what is there so far")
    if arguments.port not in (0, running.door.port):
        output.remark(f"port {arguments.port} is in use: another one was taken")
    if not is_loopback(arguments.host):
        output.remark("other machines can reach this server; whoever has the address with its token sees everything")

    def ready() -> None:
        output.remark("Ctrl-C ends it")
        output.result({"address": running.address}, running.address)
        flush()
        if not arguments.no_browser and has_display():
            open_browser(running.address)

    running.run(ready)
    return 0
