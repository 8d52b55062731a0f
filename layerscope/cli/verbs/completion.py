"""`layerscope completion`: a script for a shell, to be sourced or put where it looks for completions."""

from layerscope.cli.completion import script
from layerscope.cli.output import Output
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Print the script."""
    output.result({}, script(command.values["shell"]))
    return 0
