"""Stores that the tests start themselves, moto's server, which speaks S3, among them, and data sets in folders of this
machine; nothing is asked of anybody else."""

import os
import socketserver
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import boto3
import datasets
import fsspec
import numpy as np
import pytest
from moto.server import ThreadedMotoServer
from PIL import Image

import layerscope as ls
from layerscope.remote import answers, first, storage
from tests.helpers.building import small_network
from tests.remote.stores import CONTENTS, KEY, SECRET, Proxied, Put, proxied
from tests.remote.tables import rows_of, table, write

datasets.disable_progress_bars()


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test knows what another has read, and none waits long."""
    monkeypatch.setattr(answers, "FIRST_WAIT", 0.001)
    storage._READ_LAST.clear()
    storage._LOOKED_AT.clear()
    first._HEARD.clear()
    fsspec.config.conf.clear()


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """A server that speaks S3."""
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://127.0.0.1:{port}" if host in ("0.0.0.0", "") else f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(moto: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxied]:
    """The S3 server behind a proxy, and this machine's credentials for it."""
    state, server = proxied(moto)
    for name, value in {
        "AWS_ENDPOINT_URL": state.address, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "NO_PROXY": "*",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    yield state
    fsspec.get_filesystem_class("s3").clear_instance_cache()
    server.shutdown()
    server.server_close()


@pytest.fixture
def bucket(moto: str, s3: Proxied) -> Iterator[Put]:
    """Puts an object into the bucket "photos", which is empty."""
    client = boto3.client("s3", endpoint_url=moto)
    client.create_bucket(Bucket="photos")
    yield lambda key, content: client.put_object(Bucket="photos", Key=key, Body=content)
    for held in client.list_objects_v2(Bucket="photos").get("Contents", []):
        client.delete_object(Bucket="photos", Key=held["Key"])
    client.delete_bucket(Bucket="photos")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of pictures of two classes, with what is no picture."""
    root = tmp_path / "photos"
    for name, content in CONTENTS.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


@pytest.fixture(scope="session")
def net() -> ls.Network:
    """A small network."""
    return small_network()


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    """A web server of the test's folder, as Python has one; it answers for whole files only."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None: ...

    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), partial(Quiet, directory=os.fspath(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fourteen pictures in folders of three classes, JPEG and PNG; one copy, and one that is broken."""
    folder = tmp_path_factory.mktemp("pictures")
    for n in range(13):
        drawn = np.random.default_rng(n).integers(0, 256, (40 + n, 52, 3), np.uint8)
        path = folder / ("ants", "bees", "cats")[n % 3] / f"{n:02}.{'jpg' if n % 2 else 'png'}"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(drawn).save(path)
    (folder / "ants" / "copy.png").write_bytes((folder / "cats" / "02.png").read_bytes())
    broken = folder / "bees" / "04.png"
    broken.write_bytes(broken.read_bytes()[:200])
    return folder


@pytest.fixture(scope="session")
def parquet(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as a data set of two files of several groups of rows, with a second split of three rows."""
    folder = tmp_path_factory.mktemp("parquet") / "insects"
    rows = rows_of(pictures)
    write(folder / "data" / "train-00000-of-00002.parquet", table(rows[:9]))
    write(folder / "data" / "train-00001-of-00002.parquet", table(rows[9:]))
    write(folder / "data" / "test-00000-of-00001.parquet", table(rows[:3]))
    return folder


@pytest.fixture(scope="session")
def saved(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same pictures as `save_to_disk` writes them, in splits, and alone."""
    folder = tmp_path_factory.mktemp("saved")
    held = table(rows_of(pictures))
    datasets.DatasetDict(train=held, test=held.select(range(3))).save_to_disk(folder / "splits")
    held.save_to_disk(folder / "alone")
    return folder
