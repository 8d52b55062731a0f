"""A data set of the Hub, which the tests serve themselves: read in parts, and the same as the folder that is served."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from layerscope.core.errors import ImageError
from layerscope.sources import Entry, open_source
from layerscope.sources.rows import RowFiles, RowSource
from tests.remote.hub import COMMIT, NAME, served
from tests.remote.tables import rows_of, table, write

# What a process does that knows no other Hub: where it is is read when huggingface_hub is loaded.
OPENED = """
import json, pickle, sys
from layerscope.core.errors import LayerscopeError
from layerscope.sources import open_source
told = {}
for text in sys.argv[1:]:
    try:
        source = open_source(text)
    except LayerscopeError as error:
        told[text] = str(error)
        continue
    away, luggage = pickle.loads(pickle.dumps((source.hollow(), source.named([5]))))
    away.know(luggage)
    told[text] = [source.listing(), source.labelling(), list(source.identity())[-1], away.read(5)[0].sha256]
print(json.dumps(told))
"""


def opened(address: str, home: Path, *texts: str) -> dict[str, object]:
    """What each text is opened as, or the sentence about it."""
    root = str(Path(__file__).resolve().parents[2])
    hub = {"HF_ENDPOINT": address, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_OFFLINE": "0"}
    run = subprocess.run(
        [sys.executable, "-c", OPENED, *texts], env={**os.environ, "PYTHONPATH": root, **hub}, capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stderr == ""
    return json.loads(run.stdout)


def test_a_data_set_of_the_hub_is_read_in_parts(pictures: Path, tmp_path: Path) -> None:
    """Names, classes and bytes are those of the file; of images a group of rows is fetched, and nothing whole."""
    folder, rows = tmp_path / "set", 10 * rows_of(pictures)
    file = write(folder / "data" / "train-00000-of-00001.parquet", table(rows))
    write(folder / "data" / "test-00000-of-00001.parquet", table(rows[:3]))
    known, revised = f"hf:{NAME}:train", f"hf:{NAME}@main:train"
    with served(folder) as (address, asked):
        told = opened(address, tmp_path / "home", known, revised, f"hf:{NAME}:tran", "hf:owner/none:train")
    whole = open_source(f"hf:{file}")
    expected = [[list(one) for one in whole.listing()], whole.labelling()]
    assert told[known] == told[revised] == [
        *expected, f"data set {NAME} at {COMMIT}, column image", whole.read(5)[0].sha256,
    ]  # fmt: skip
    assert (
        told[f"hf:{NAME}:tran"] == f'"hf:{NAME}:tran" has no split "tran"; there are train, test; did you mean train?'
    )
    assert str(told["hf:owner/none:train"]).startswith(
        'the Hub has no data set "owner/none", or none that you may read'
    )
    assert {name for name, _, _ in asked} == {"data/train-00000-of-00001.parquet"}
    size = file.stat().st_size
    assert all(part is not None for _, part, _ in asked) and max(sent for _, _, sent in asked) < size / 4
    assert not list((tmp_path / "home").rglob("*.arrow"))


def test_a_connection_that_is_gone_stops_the_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """All images to come would be left out for it; what lets anybody read is not told."""

    def gone(self: RowFiles, path: str, row: int) -> None:
        raise ConnectionError("no answer of https://cdn.example/x?X-Signature=abc")

    monkeypatch.setattr(RowFiles, "image", gone)
    entry = Entry(identity="0", path=f"hf://datasets/{NAME}@{COMMIT}/a.parquet")
    source = RowSource([entry], name="x", files=RowFiles("image"), version="1")
    with pytest.raises(
        ImageError, match=r"cannot be read from the Hub now \(no answer of https://cdn\.example/x\): run"
    ):
        source.read(0)


def test_what_is_not_parquet_is_had_whole(pictures: Path, tmp_path: Path) -> None:
    """A folder of pictures on the Hub: their own bytes, with the classes that `datasets` tells of folders."""
    with served(pictures) as (address, asked):
        told = opened(address, tmp_path / "home", f"hf:{NAME}:train", f"hf:{NAME}:test")
    names, classes, version, sixth = told[f"hf:{NAME}:train"]  # type: ignore[misc]
    whole = open_source(pictures)
    assert (len(names), classes, sixth) == (len(whole), whole.labelling(), whole.read(5)[0].sha256)
    assert version == f"data set {NAME} at {COMMIT}, column image"
    hashes = {whole.read(id)[0].sha256 for id in range(len(whole))}  # what is known already is not fetched again
    assert len({name for name, _, _ in asked}) == len(asked) == len(hashes)
    assert told[f"hf:{NAME}:test"] == f'"hf:{NAME}:test" has no split "test"; there is train'
