"""Nine projections of one unit that somebody asks for, as a user would type it here and with captum.

Ours is `Network.project` on the nine inputs, with nothing known of them; captum's NeuronDeconvolution gets the same
nine, at its best batch. One unit of each of AlexNet's five convolutional layers.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch

from bench.projections import METHOD, check, highest_places
from bench.report import Line, at_least
from bench.rivals import Sample, captum, quickest
from bench.subjects import Subject, pixels_of, subject
from bench.timing import added, alternate, seconds_of
from bench.workshop import Workshop
from layerscope.core.records import LayerRecord
from layerscope.project.cone import Entries

NETWORK, NINE = "alexnet", 9
BATCHES = (3, 9)
# Calls a turn, for one is short.
CALLS = 2
AIM = at_least(40)


def measure(workshop: Workshop) -> Iterator[Line]:
    """One line over all layers, then one for each: captum's seconds over ours."""
    chosen = subject(NETWORK)
    pixels = pixels_of(workshop.paths[:NINE], chosen)
    ours, theirs = {}, {}
    for layer, sample in samples_of(chosen, pixels).items():
        rival = quickest(captum, chosen.model, layer, sample, batches=BATCHES)
        check("captum", rival, chosen, layer, sample)
        ours[layer.name], theirs[layer.name] = asked(chosen, layer, sample), lambda rival=rival, s=sample: rival.run(s)
    works = {
        (who, layer): lambda work=work: seconds_of(lambda: [work() for _ in range(CALLS)]) / CALLS
        for layer in ours
        for who, work in (("captum", theirs[layer]), ("layerscope", ours[layer]))
    }
    for work in ours.values():
        work()
    found = alternate(works, repeats=workshop.sizes.repeats)
    both = {who: {layer: found[who, layer] for layer in ours} for who in ("captum", "layerscope")}
    job = f"of one unit on request, {chosen.network.name}"
    yield _line("request", f"nine projections {job}, one of each of {len(ours)} layers",
                {who: added(*layers.values()) for who, layers in both.items()}, aimed=True)  # fmt: skip
    for name in ours:
        samples = {who: layers[name] for who, layers in both.items()}
        yield _line(f"request/{name}", f"nine projections {job}, {name}", samples)


def _line(name: str, job: str, samples: dict[str, list[float]], *, aimed: bool = False) -> Line:
    what, aim = f"captum / layerscope, {job}", AIM if aimed else None
    return Line(name=name, what=what, samples=samples, above=("captum",), below=("layerscope",), aim=aim)


def samples_of(chosen: Subject, pixels: np.ndarray) -> dict[LayerRecord, Sample]:
    """Per layer the unit whose lowest maximum over the images is the highest, where it is highest in each of them."""
    found = {}
    for layer, (value, place) in highest_places(chosen, pixels).items():
        assert layer.map is not None
        unit = int(value.min(0).argmax())
        row, col = np.divmod(place[:, unit], layer.map[1])
        entries = Entries(layer.node, np.arange(len(pixels)), np.full(len(pixels), unit), row, col)
        found[layer] = Sample(entries, torch.from_numpy(pixels), value[:, unit])
    return found


def asked(chosen: Subject, layer: LayerRecord, sample: Sample) -> Callable[[], object]:
    """What a user types."""
    e = sample.entries
    places = {name: getattr(e, name).tolist() for name in ("image", "unit", "row", "col")}
    return lambda: chosen.network.project(sample.pixels, layer.name, **places, method=METHOD)
