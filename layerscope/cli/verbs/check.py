"""`layerscope check`: a sample of an atlas's peaks, computed again from the network and the images."""

import argparse

from layerscope.api import verbs
from layerscope.cli import words
from layerscope.cli.networks import images, network
from layerscope.cli.output import Output, complain


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Compare, and end with status 1 where something does not agree."""
    source = images(arguments)
    net = network(arguments, output)
    report = verbs.check(arguments.atlas, net, source, sample=arguments.sample, seed=arguments.seed)
    data = {"atlas": arguments.atlas, "peaks": report.peaks, "worst": report.worst, "failed": list(report.failed)}
    again = f"{words.counted(report.peaks, 'peak')} computed again"
    worst = f"largest difference {report.worst:.1g} of the layer's largest value"
    output.result(data, "\n".join([f"{again}; {worst}" if report.peaks else again, *report.failed]))
    if report.failed:
        complain(f"{arguments.atlas} does not come back: {report.failed[0]}")
        return 1
    return 0
