"""Models of transformers that compare pictures with words: tiny ones of random weights, as save_pretrained writes."""

import json
import os
import random
import shutil
import string
from pathlib import Path

import numpy as np
import pytest
import sentencepiece
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

import layerscope as ls
from layerscope.core.errors import LayerscopeError, TraceError, UsageError
from layerscope.core.words import WordDissection
from layerscope.models.clip import open_clip

SIDE, DIMENSIONS, LONGEST = 32, 12, 16
TOWER = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
WORDS = ["dog", "a big house", "cat"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A CLIP model whose tokens are letters, and a SigLIP model whose tokens are words."""
    made = {name: tmp_path_factory.mktemp("clip") / name for name in ("clip", "siglip")}
    torch.manual_seed(0)
    letters = list(string.ascii_lowercase)
    vocab = {token: place for place, token in enumerate([*letters, *(f"{one}</w>" for one in letters)])}
    vocab |= {"<|startoftext|>": len(vocab), "<|endoftext|>": len(vocab) + 1}
    tokenizer = transformers.CLIPTokenizer(vocab=vocab, merges=[])
    end = vocab["<|endoftext|>"]
    text = {**TOWER, "vocab_size": len(vocab), "max_position_embeddings": LONGEST}
    config = transformers.CLIPConfig(
        text_config={**text, "bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end},
        vision_config={**TOWER, "image_size": SIDE, "patch_size": 8},
        projection_dim=DIMENSIONS,
    )  # fmt: skip
    transformers.CLIPModel(config).save_pretrained(made["clip"])
    processor = transformers.CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE})
    transformers.CLIPProcessor(processor, tokenizer).save_pretrained(made["clip"])

    random.seed(0)
    spoken = ["dog", "cat", "a", "big", "house", "red", "blue", "bird", "tree", "car", "photo", "grass", "sky"]
    sentences = [" ".join(random.choices(spoken, k=6)) for _ in range(300)]
    pieces = made["siglip"].parent / "pieces"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(sentences), model_prefix=str(pieces), vocab_size=50, hard_vocab_limit=False, pad_id=-1,
        bos_id=-1, eos_id=1, unk_id=2, minloglevel=2,
    )  # fmt: skip
    config = transformers.SiglipConfig(
        text_config={**TOWER, "vocab_size": 60, "max_position_embeddings": 64, "projection_size": DIMENSIONS},
        vision_config={**TOWER, "hidden_size": DIMENSIONS, "image_size": SIDE, "patch_size": 8},
    )
    transformers.SiglipModel(config).save_pretrained(made["siglip"])
    transformers.SiglipProcessor(
        transformers.SiglipImageProcessor(size={"height": SIDE, "width": SIDE}),
        transformers.SiglipTokenizer(f"{pieces}.model"),
    ).save_pretrained(made["siglip"])
    return made


@pytest.fixture
def copied(folders: dict[str, Path], tmp_path: Path) -> Path:
    """The CLIP model in a folder of its own, to be spoilt."""
    return Path(shutil.copytree(folders["clip"], tmp_path / "copy"))


def pictures(count: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 40, 40, 3), dtype=np.uint8)


def unit(vectors: torch.Tensor) -> np.ndarray:
    return (vectors / vectors.norm(dim=-1, keepdim=True)).detach().numpy()


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_vectors_are_the_model_s(folders: dict[str, Path], name: str) -> None:
    """Texts one by one, as each kind was trained, and pictures by its own processor: the same, whatever lies beside."""
    path = folders[name]
    model = transformers.AutoModel.from_pretrained(path).eval()
    processor = transformers.AutoProcessor.from_pretrained(path)
    opened = open_clip(path)
    found = opened.texts(WORDS)
    for word, vector in zip(WORDS, found.embeddings, strict=True):
        padding = {"padding": "max_length"} if name == "siglip" else {}
        ids = processor.tokenizer([word], return_tensors="pt", **padding)["input_ids"]
        assert vector == pytest.approx(unit(model.get_text_features(input_ids=ids).pooler_output)[0], abs=1e-5)
    given = processor.image_processor([Image.fromarray(one) for one in pictures()], return_tensors="pt")
    expected = unit(model.get_image_features(**given).pooler_output)
    # The library's default resizes in another way, by at most a level or so.
    assert opened.pictures(pictures()) == pytest.approx(expected, abs=0.02)
    assert opened.longest == (LONGEST if name == "clip" else 64)


@pytest.mark.parametrize("name", ["clip", "siglip"])
def test_case_is_none_and_the_end_of_long_words_is_cut(folders: dict[str, Path], name: str) -> None:
    """What is the same to the model has the same tokens; what is cut is named."""
    long = "dog " * 90
    found = open_clip(folders[name]).texts(["Dog", "dog", long, f"{long} cat"])
    assert found.tokens[0] == found.tokens[1] and found.tokens[2] == found.tokens[3]
    assert found.cut == (long, f"{long} cat")
    assert np.array_equal(found.embeddings[0], found.embeddings[1])


def test_half_precision_is_read_as_single(copied: Path, folders: dict[str, Path]) -> None:
    """transformers 5 would compute in half."""
    transformers.AutoModel.from_pretrained(copied).half().save_pretrained(copied)
    found, whole = open_clip(copied).texts(WORDS), open_clip(folders["clip"]).texts(WORDS)
    assert found.embeddings.dtype == np.float32
    assert found.embeddings == pytest.approx(whole.embeddings, abs=5e-3)


def test_the_key_is_that_of_the_weights_and_the_processor(copied: Path, folders: dict[str, Path]) -> None:
    """Another folder with the same files has the same; another weight or another size of pictures another."""
    key = open_clip(folders["clip"]).key
    assert open_clip(copied).key == key
    weights = load_file(copied / "model.safetensors")
    weights["visual_projection.weight"] += 1
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    assert open_clip(copied).key != key


def _spoil(path: Path, how: str) -> None:
    weights = path / "model.safetensors"
    if how == "pickled":
        torch.save(load_file(weights), path / "pytorch_model.bin")
        weights.unlink()
    elif how == "one side of the weights":
        kept = {name: one for name, one in load_file(weights).items() if "text" not in name}
        save_file(kept, weights, metadata={"format": "pt"})
    elif how == "one side":
        transformers.AutoModel.from_pretrained(path).vision_model.save_pretrained(path)
    elif how == "truncated":
        weights.write_bytes(weights.read_bytes()[:2000])
    elif how == "no tokenizer":
        for file in path.glob("tokenizer*"):
            file.unlink()
    elif how == "no image processor":
        (path / "processor_config.json").unlink()
    elif how == "no config":
        (path / "config.json").unlink()
    else:
        config = json.loads((path / "config.json").read_text())
        config |= {"another kind": {"model_type": "resnet"}, "its own code": {
            "model_type": "mine", "auto_map": {"AutoConfig": "code.Mine", "AutoModel": "code.Mine"}
        }}[how]  # fmt: skip
        (path / "config.json").write_text(json.dumps(config))
        (path / "code.py").write_text(f"open({str(path / 'ran')!r}, 'w')")


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        ("pickled", UsageError, "holds no weights in safetensors"),
        ("one side of the weights", UsageError, "both its sides"),
        ("one side", UsageError, "holds one side of a CLIP model"),
        ("truncated", TraceError, "cannot be opened"),
        ("no tokenizer", UsageError, "holds no tokenizer"),
        ("no image processor", UsageError, "holds no image processor"),
        ("no config", UsageError, "holds no config.json"),
        ("another kind", UsageError, 'of type "resnet", which is not read: give CLIP'),
        ("its own code", TraceError, "code of its own, which is not run"),
    ],
)
def test_what_is_no_model_is_a_sentence(copied: Path, how: str, error: type[LayerscopeError], said: str) -> None:
    """And no code of the folder is run."""
    _spoil(copied, how)
    with pytest.raises(error, match=said):
        open_clip(copied)
    assert not (copied / "ran").exists()


def test_weights_that_are_no_numbers_are_a_sentence(copied: Path) -> None:
    """They would make every picture the same."""
    weights = load_file(copied / "model.safetensors")
    weights["visual_projection.weight"] *= torch.nan
    save_file(weights, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(TraceError, match="its weights are damaged"):
        open_clip(copied).pictures(pictures())


def test_an_end_that_is_not_the_tokenizer_s_is_a_sentence(copied: Path) -> None:
    """transformers then takes every text at its first token, so that all are the same."""
    config = json.loads((copied / "config.json").read_text())
    config["text_config"]["eos_token_id"] = 7
    (copied / "config.json").write_text(json.dumps(config))
    with pytest.raises(UsageError, match="ends its texts with another token"):
        open_clip(copied)


def test_from_a_folder_to_names(folders: dict[str, Path], tmp_path: Path) -> None:
    """Two kinds of models, offline; the second list of words needs no picture."""
    for path in folders.values():
        found = _dissected(path, tmp_path)
        assert (found.words, found.images, found.settings["model"]) == (3, 60, path.name)
        assert (tmp_path / "a.clip.safetensors").exists()
        with ls.open(tmp_path / "a.atlas") as atlas:
            assert {one.word for unit in atlas["1"].words for one in unit.ranked} <= set(WORDS)


def _dissected(folder: Path, place: Path) -> WordDissection:
    source = "from torch import nn\nimport layerscope\nINPUT = layerscope.Input(height=16, width=16)\n"
    (place / "net.py").write_text(f"{source}def net():\n    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())\n")
    (place / "photos").mkdir(exist_ok=True)
    for number, picture in enumerate(pictures(60)):
        Image.fromarray(picture).save(place / "photos" / f"{number}.png")
    atlas, spec = place / "a.atlas", f"{place / 'net.py'}:net"
    if not atlas.exists():
        torch.manual_seed(0)
        ls.build(spec, place / "photos", atlas, progress=False)
    return ls.dissect(atlas, spec, words=WORDS, clip=os.fspath(folder), data=place / "photos", progress=False)
