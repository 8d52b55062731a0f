"""The command line: one module per verb in `verbs`, and around them what all verbs share. Entry point: `main`."""

from layerscope.cli.entry import main

__all__ = ["main"]
