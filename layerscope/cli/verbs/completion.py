"""`layerscope completion`: a script for a shell, to be sourced or put where it looks for completions."""

import argparse

from layerscope.cli.completion import script
from layerscope.cli.output import Output


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Print the script."""
    output.result({}, script(arguments.shell))
    return 0
