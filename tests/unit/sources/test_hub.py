"""What is written for a split of a data set, and what is said before anything of it is read."""

from pathlib import Path

import pytest

from layerscope.core import registry
from layerscope.core.columns import Columns
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.images import kind_of
from layerscope.sources import open_source
from layerscope.sources.hub import _named, split_of
from layerscope.sources.rows import plainly

WRITTEN = {
    "hf:owner/name:train": ("owner/name", None, "train"),
    "hf:owner/name:config:train": ("owner/name", "config", "train"),
    "hf:owner/name@v1.2:train": ("owner/name@v1.2", None, "train"),
    "hf:owner/name": ("owner/name", None, None),
    "hf:./cats/small:train": ("./cats/small", None, "train"),
    "hf:C:/cats:train": ("C:/cats", None, "train"),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_parts_of_a_name(text: str) -> None:
    named = _named(text)
    assert (named.place, named.configuration, named.split) == WRITTEN[text]


def test_a_folder_may_have_colons_in_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What exists is meant as it is written."""
    (tmp_path / "cats:new").mkdir()
    monkeypatch.chdir(tmp_path)
    assert (_named("hf:cats:new").place, _named("hf:cats:new").split) == ("cats:new", None)


@pytest.mark.parametrize("text", ("hf::train", "hf:a/b:", "hf:a/b:c:d:e", "hf:a/b::train"))
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=f'"{text}" names no data set: write hf:NAME:SPLIT, or hf:NAME:CONFIG'):
        split_of(text)


@pytest.mark.parametrize("text", ("hf:cifar10:train", "hf:/no/such/folder:train", "hf:a/b/c/d:train", "hf:~nobody:x"))
def test_what_is_neither_here_nor_on_the_hub_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="is neither a folder nor OWNER/NAME of the Hub: write"):
        split_of(text)
    kind = kind_of(text)
    assert kind is not None and kind.name == "rows"


def test_a_file_of_the_hub_is_no_data_set() -> None:
    with pytest.raises(UsageError, match='"hf://datasets/a/b" names a file of the Hub; a data set is written hf:NAME'):
        split_of("hf://datasets/a/b")


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_is_there", lambda module: module != "datasets")
    with pytest.raises(UsageError, match=r"\"rows\" needs datasets: pip install 'layerscope\[datasets\]'"):
        open_source("hf:owner/name:train")


def test_columns_are_for_tables(tmp_path: Path) -> None:
    """They are not lost without a word."""
    with pytest.raises(UsageError, match=r"image_column and label_column are for hf:NAME:SPLIT; .* has no columns"):
        open_source(tmp_path, columns=Columns(image="image"))


def test_a_refusal_of_columns_tells_no_secret_of_an_address() -> None:
    with pytest.raises(UsageError, match=r'"https://host/x\.tar" has no columns'):
        open_source("https://host/x.tar?X-Signature=0123abc", columns=Columns(label="label"))


def test_a_folder_of_parquet_files_says_how_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.parquet").write_bytes(b"PAR1" + bytes(99) + b"PAR1")
    with pytest.raises(ImageError, match=r"a Parquet table: name the data set hf:FOLDER:SPLIT, or this file hf:FILE"):
        open_source(tmp_path)


def test_what_lets_anybody_read_is_not_told() -> None:
    """Neither a signature behind an address nor who asks."""
    said = plainly(OSError("404 for url: https://me:hf_secret@cdn.example/a.parquet?X-Signature=abc&Key=1 (id)"))
    assert said == "404 for url: https://cdn.example/a.parquet (id)"
    assert plainly(OSError("https://me:hf_secret@cdn.example/a")) == "https://cdn.example/a"
