"""`layers` lists what can be asked of a network, with fields, and what cannot, with the reason."""

import json
import os
import subprocess
import sys

import pytest


def test_every_layer_with_its_field(command, network_file):
    """Names, kinds, units, maps, fields by hand: conv 3 sees 3; pool 2 makes 4 and steps 2; conv 5x3 then 12x8."""
    status, out, err = command("layers", f"{network_file}:plain", "--input", "3x16x20", "--json")
    data = json.loads(out)
    assert status == 0
    assert "net.py:plain expects 3x16x20 RGB" in err
    assert [
        (layer["name"], layer["kind"], layer["units"], layer["map"], layer["auto"]) for layer in data["layers"]
    ] == [
        ("0", "conv2d", 4, [16, 20], False),
        ("1", "relu", 4, [16, 20], True),
        ("2", "max_pool2d", 4, [8, 10], False),
        ("3", "conv2d", 6, [4, 8], False),
        ("4", "relu", 6, [4, 8], True),
    ]
    field = data["layers"][-1]["field"]
    assert field["rows"] == {"size": 12, "step": 2, "start": -1}
    assert field["cols"] == {"size": 8, "step": 2, "start": -1}
    assert field["share"] == pytest.approx(12 * 8 / (16 * 20))
    assert data["input"]["height"] == 16 and data["refused"] == []


def test_auto_lists_the_chosen_ones_only(command, network_file):
    """The table marks them with a star; --auto leaves the others out; --quiet says nothing else."""
    status, out, err = command("layers", f"{network_file}:plain", "--input", "3x16x20", "--auto", "--quiet")
    assert (status, err) == (0, "")
    header, *rows, legend, blank, replayed = out.splitlines()
    assert [row.split()[:5] for row in rows] == [["*", "1", "relu", "4", "16x20"], ["*", "4", "relu", "6", "4x8"]]
    assert "12x8" in rows[1] and "30 %" in rows[1]
    assert "field px" in header and "auto" in legend and not blank and replayed.startswith("replayed")


def test_refused_operations_stand_below_with_reasons(command, network_file):
    """Each kind once, how often and where first; what lies before can be had, what lies behind cannot."""
    where = (f"{network_file}:gated", "--input", "3x16x16")
    status, out, err = command("layers", *where)
    assert status == 0
    above, below, replayed = out.split("\n\n")
    assert "net.py:gated cannot be had whole: 1 of its 2 convolutions and dense layers" in err
    assert replayed.startswith("replayed on 3 pictures: 2 layers agree")
    assert above.splitlines()[2].split()[:3] == ["*", "1", "relu"]
    assert below.startswith("3 operations have no row; 1 operation behind cannot be had (see layerscope ops):")
    assert [line.split()[:3] for line in below.splitlines()[2:]] == [
        ["aten.randn_like", "2", "2"],
        ["aten.rand_like", "1", "4"],
    ]
    data = json.loads(command("layers", *where, "--json")[1])
    assert [entry["node"] for entry in data["refused"]] == ["2", "4", "5"]
    assert all(entry["reason"] for entry in data["refused"])
    assert data["remarks"] == [err.splitlines()[-1]]


def test_only_what_is_starred_has_a_legend(command, network_file):
    """A network of which nothing can be had has an empty table, and the reason."""
    status, out, _ = command("layers", f"{network_file}:opaque", "--input", "3x16x16")
    assert status == 0 and '"auto"' not in out and "aten.rand_like" in out


def test_modules_with_several_outputs_are_told(command, network_file):
    """Below the table, with the layers that leave each; in JSON by name."""
    where = ("layers", f"{network_file}:forked", "--input", "3x16x16")
    lines = command(*where)[1].splitlines()
    assert "0 gives several outputs: 0.relu_1, 0.pool" in lines
    assert json.loads(command(*where, "--json")[1])["several_outputs"] == {"0": ["0.relu_1", "0.pool"]}


def test_a_network_that_says_nothing_needs_its_size(command, network_file):
    """One sentence with the option to add."""
    status, out, err = command("layers", f"{network_file}:plain")
    assert (status, out) == (1, "")
    assert "--input CHANNELSxHEIGHTxWIDTH" in err and err.count("\n") == 1


def test_a_packaged_network_is_built_once(command, tmp_path, monkeypatch):
    """The second time the same is said, without a network: nothing is exported, nothing built. Options count."""
    from layerscope.api import opening
    from layerscope.graph import trace

    monkeypatch.setenv("LAYERSCOPE_CACHE", str(tmp_path))
    exported, built = [], []
    real_export, real_network = trace.exported, opening.network_for
    monkeypatch.setattr(trace, "exported", lambda *given: exported.append(1) or real_export(*given))
    monkeypatch.setattr(opening, "network_for", lambda *given, **how: built.append(1) or real_network(*given, **how))
    for words in (("worldnet",), ("worldnet", "--json"), ("worldnet", "--mean", "0.1,0.1,0.1")):
        first = command("layers", *words)
        assert first == command("layers", *words) and first[0] == 0
    # One graph for all; each spec with its options is loaded and replayed once.
    assert "replayed on 3 pictures" in first[1] and (len(exported), len(built)) == (1, 2)
    command("layers", "worldnet", "--input", "3x70x70")
    assert (len(exported), len(built)) == (2, 3)
    for file in tmp_path.iterdir():
        file.unlink()
    assert command("layers", "worldnet")[0] == 0 and len(exported) == 3


def test_what_the_replay_found_stands_below(command, network_file):
    """In one sentence, and as data."""
    where = ("layers", f"{network_file}:plain", "--input", "3x16x20")
    assert command(*where)[1].splitlines()[-1].startswith("replayed on 3 pictures: the output and 5 layers agree")
    found = json.loads(command(*where, "--json")[1])["replay"]
    assert (found["pictures"], found["layers"], found["fault"], found["dtype"]) == (3, 5, "", "float64")
    assert found["worst"] <= found["bound"] == 1e-9


@pytest.mark.parametrize(
    "network", ["worldnet", pytest.param("torchvision:squeezenet1_1/none", marks=pytest.mark.wide)]
)
@pytest.mark.wide
def test_what_was_listed_before_is_said_without_torch(network, tmp_path):
    """The second time, in a process of its own: the same words and data, layer by layer, and torch is not loaded."""
    program = (
        "import sys; from layerscope.cli import main; import layerscope as ls; "
        f"status = main(['layers', '{network}']); listing = ls.layers('{network}', auto=True); "
        "print(status, listing.layers, listing.data()); print('torch' in sys.modules, file=sys.stderr)"
    )
    environment = {**os.environ, "LAYERSCOPE_CACHE": str(tmp_path)}

    def run() -> tuple[str, list[str]]:
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        return done.stdout, done.stderr.splitlines()

    (first, said), (second, again) = run(), run()
    assert (said[-1], again[-1]) == ("True", "False")
    assert (first, said[:-1]) == (second, again[:-1]) and "LayerRecord" in first
