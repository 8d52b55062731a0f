"""`layerscope check`: a sample of an atlas's peaks, computed again from the network and the images."""

import argparse

from layerscope.api import verbs
from layerscope.cli import words
from layerscope.cli.networks import images, network
from layerscope.cli.output import Output, complain

MOST_NAMED = 3


def run(arguments: argparse.Namespace, output: Output) -> int:
    """Compare, and end with status 1 where a peak does not come back."""
    source = images(arguments)
    net = network(arguments, output)
    report = verbs.check(arguments.atlas, net, source, sample=arguments.sample, seed=arguments.seed)
    data = {"atlas": arguments.atlas, "peaks": report.peaks, "worst": report.worst, "failed": list(report.failed)}
    good = report.peaks - len(report.failed)
    text = f"{good:,} of {words.counted(report.peaks, 'peak')} came back; largest relative error {report.worst:.1g}"
    output.result(data, text)
    if report.failed:
        rest = f" and {len(report.failed) - MOST_NAMED:,} more" if len(report.failed) > MOST_NAMED else ""
        complain(
            f"{words.counted(len(report.failed), 'peak')} of {arguments.atlas} did not come back "
            f"({'; '.join(report.failed[:MOST_NAMED])}{rest}): are network, weights and images those of the atlas?"
        )
        return 1
    return 0
