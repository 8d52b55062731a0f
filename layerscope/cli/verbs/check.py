"""`layerscope check`: a sample of an atlas's peaks, computed again from the network and the images."""

import layerscope as ls
from layerscope.cli import words
from layerscope.cli.networks import wanted
from layerscope.cli.output import Output, complain
from layerscope.cli.parser import Command


def run(command: Command, output: Output) -> int:
    """Compare, and end with status 1 where something does not agree."""
    atlas, report = command.values["atlas"], ls.check(**wanted(command, output))
    data = {"atlas": atlas, "peaks": report.peaks, "worst": report.worst, "failed": list(report.failed),
            "missing": report.missing}  # fmt: skip
    again = f"{words.counted(report.peaks, 'peak')} computed again"
    worst = f"largest difference {report.worst:.1g} of the layer's largest value"
    said = [again, *([worst] if report.peaks else [])]
    if report.missing:
        said.append(f"{words.counted(report.missing, 'peak')} could not be, for their images cannot be had")
    output.result(data, "\n".join(["; ".join(said), *report.failed]))
    if report.failed:
        complain(f"{atlas} does not come back: {report.failed[0]}")
        return 1
    return 0
