"""The script for a GPU, as far as a processor can tell: its parts run there, and agree with themselves."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from bench import gpu, projections
from bench.bundle import BundleWriter, read_bundle
from bench.memory import write_small
from bench.memory_child import tiny
from bench.report import LeftOut
from bench.rivals import autograd
from bench.scan_tensors import scan
from bench.sizes import QUICK
from bench.subjects import batches_of
from bench.workshop import Workshop
from tests.unit.bench.test_bundle import HEAD, line

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small")
    write_small(folder, 4)
    return tiny(), sorted(folder.iterdir())


@pytest.mark.wide
def test_a_dry_run_on_the_processor(small):
    """Both settings of TF32 give their three lines; peaks of the processor are those of the processor."""
    network, paths = small
    lines = [*gpu.scanned("tiny", network, batches_of(paths, network), CPU, repeats=1)]
    whats = ("scan", "peaks", "values")
    assert [one.name for one in lines] == [f"gpu/tiny/{how}/{what}" for how in ("exact", "tf32") for what in whats]
    assert all(one.ratio.median == 0 for one in lines if not one.name.endswith("scan"))
    assert [one.met for one in lines[1:3]] == [True, True] and {one.met for one in lines[3:]} == {None}


def test_peaks_that_differ_are_counted(small):
    """One peak of another image, and one value that is off by a tenth of the layer's largest."""
    network, paths = small
    batches = batches_of(paths, network)
    expected, found = scan(network, batches), scan(network, batches)
    peaks = found.peaks(network.layers[0].node)
    peaks.image[0, 0] += 1
    largest = peaks.value[peaks.image >= 0].max()
    peaks.value[0, 0] += largest / 10
    differing, count, apart = gpu.peaks_beside(expected, found)
    assert differing == 1 and apart == pytest.approx(0.1, rel=1e-5)
    assert count == sum((expected.peaks(layer.node).image >= 0).sum() for layer in network.layers)


@pytest.mark.wide
def test_projections_beside_a_rival(small, tmp_path, monkeypatch):
    """On whatever device the network lies: ours and autograd's, found equal before they are timed."""
    network, paths = small
    monkeypatch.setattr(projections, "WHOLE", 9)
    monkeypatch.setattr("bench.rivals.FORMATS", {"contiguous": torch.contiguous_format})
    job = projections.job_of(gpu.subject_on(network, CPU), paths)
    workshop = Workshop(folder=tmp_path, paths=paths, sizes=replace(QUICK, repeats=1))
    ((name, found),) = projections.compared(job, {"autograd": autograd}, workshop, sampled=2)
    assert name == "autograd" and set(found.samples) == {"autograd", "layerscope"}
    assert np.isfinite(found.ratio.median) and found.ratio.median > 0


def test_no_part_is_begun_that_might_end_too_late(tmp_path):
    """A part that needs what is not there is left out, and so is one for which the time is short; both are told."""
    now = 0.0
    writer = BundleWriter(tmp_path / "a.json", HEAD)

    def takes_a_minute():
        nonlocal now
        now += 60
        yield line("one", [1.0], None)

    def missing():
        raise LeftOut("captum is not installed")
        yield

    parts = {"first": takes_a_minute, "second": missing, "third": takes_a_minute, "fourth": takes_a_minute}
    gpu.measure(parts, writer, until=gpu.PART + 90, clock=lambda: now)
    writer.finish()
    found = read_bundle(tmp_path / "a.json")
    assert [one.name for one in found.lines] == ["one", "one"]
    assert found.data["left out"] == {"second": "captum is not installed", "fourth": "the time was over"}


def test_switches_are_put_back():
    """TF32 is on, or off, inside alone."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    for on in (False, True):
        with gpu.tf32(on):
            assert torch.backends.cuda.matmul.allow_tf32 is torch.backends.cudnn.allow_tf32 is on
    assert (torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32) == before


def test_without_a_gpu_one_sentence_and_status_one(tmp_path, monkeypatch):
    """Nothing is measured and no bundle is begun."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit) as stopped:
        gpu.main(["--out", str(tmp_path / "a.json")])
    assert stopped.value.code == "PyTorch sees no CUDA device on this machine: nothing was measured"
    assert not [*tmp_path.iterdir()]


def test_a_device_is_named():
    """The processor by its kind; plain values."""
    assert json.dumps(gpu.device_facts(CPU)) == '[{"device": "cpu"}, {}]'
