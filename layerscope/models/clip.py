"""A model that compares pictures with words, of the CLIP or the SigLIP kind, from a local folder: nothing is fetched.

The folder is one of `save_pretrained` of transformers: config.json, weights in safetensors, image processor, tokenizer.
What transformers would do silently is asked for or refused here: weights that are missing would be drawn at random, a
folder of half precision is read as float32, code that a folder brings is not run, and texts are made as each kind was
trained: SigLIP with padding to its whole length and no mask, for with another padding a word is another vector.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from PIL import Image

from layerscope.core.errors import TraceError, UsageError
from layerscope.core.quiet import quiet
from layerscope.core.words import Texts
from layerscope.models.hub import hub_shut

BATCH = 64
INSTALL = "pip install 'layerscope[words]'"


@dataclass(frozen=True, kw_only=True)
class _Family:
    """A kind of model. padded: texts are padded to the whole length, and no mask says where they end."""

    name: str
    padded: bool


# By the model_type of config.json. SigLIP 2 of a fixed size is of the type siglip; the one of any size is another kind.
FAMILIES = {"clip": _Family(name="CLIP", padded=False), "siglip": _Family(name="SigLIP", padded=True)}

# What a folder holds beside the model, in one of these files.
PARTS = {
    "tokenizer": ("tokenizer.json", "vocab.json", "spiece.model"),
    "image processor": ("preprocessor_config.json", "processor_config.json"),
}


class ClipModel:
    """A model of a local folder. name: the folder's. key: what tells it from all others. longest: of a text, tokens."""

    def __init__(self, folder: Path, model: Any, tokenizer: Any, processor: Any) -> None:
        self.name, self.key = folder.resolve().name, _key(folder)
        self._model, self._tokenizer, self._processor = model, tokenizer, processor
        self._padded = FAMILIES[model.config.model_type].padded
        self.longest = int(model.config.text_config.max_position_embeddings)

    @torch.inference_mode()
    def texts(self, words: Sequence[str]) -> Texts:
        """The words, in lower case, as both kinds were trained; what is longer is cut. Raises TraceError."""
        lower = [word.lower() for word in words]
        with quiet():
            whole = self._tokenizer(lower)["input_ids"]
            read = self._tokenizer(lower, truncation=True, max_length=self.longest)["input_ids"]
        # Words of one length together: little is padded. The order is that of the words again at the end.
        order = sorted(range(len(words)), key=lambda place: len(read[place]))
        found = [
            self._texts([lower[place] for place in order[first : first + BATCH]])
            for first in range(0, len(order), BATCH)
        ]
        joined = np.concatenate(found)
        embeddings = np.empty_like(joined)
        embeddings[order] = joined
        cut = tuple(word for word, one in zip(words, whole, strict=True) if len(one) > self.longest)
        return Texts(embeddings=embeddings, tokens=tuple(tuple(map(int, one)) for one in read), cut=cut)

    def _texts(self, words: list[str]) -> Float32[np.ndarray, "b d"]:
        padding = "max_length" if self._padded else True
        with quiet():
            given = self._tokenizer(
                words, padding=padding, truncation=True, max_length=self.longest, return_tensors="pt"
            )
        ids = given["input_ids"]
        mask = {} if self._padded else {"attention_mask": given["attention_mask"]}
        return _unit(self._model.get_text_features(input_ids=ids, **mask), f'words such as "{words[0][:60]}"')

    @torch.inference_mode()
    def pictures(self, pixels: UInt8[np.ndarray, "b h w 3"]) -> Float32[np.ndarray, "b d"]:
        """Pictures, brought to its size by its own processor. Raises TraceError."""
        # As pictures, not as arrays: of an array with three rows the processor takes the rows for channels.
        with quiet():
            given = self._processor(images=[Image.fromarray(one) for one in pixels], return_tensors="pt")
        return _unit(self._model.get_image_features(pixel_values=given["pixel_values"]), "pictures")


def open_clip(folder: str | Path) -> ClipModel:
    """The model of a folder. Raises UsageError for a folder that holds none, TraceError for one that cannot be read."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        raise UsageError(
            f'there is no folder "{path}" with a CLIP or SigLIP model; a model is not fetched: name a folder'
        )
    if not (path / "config.json").is_file():
        raise UsageError(f'the folder "{path}" holds no config.json: name what save_pretrained of transformers wrote')
    transformers = _transformers()
    with hub_shut(), quiet():
        try:
            config = transformers.AutoConfig.from_pretrained(path, local_files_only=True, trust_remote_code=False)
        except Exception as error:
            raise TraceError(_why(path, error)) from error
        _require_family(path, config)
        _require_files(path)
        model, missing = _model(transformers, path, config)
        tokenizer = _part(transformers.AutoTokenizer, path, "tokenizer")
        _require_end(path, config, tokenizer)
        # Pillow's way of resizing, which these models were trained with.
        processor = _part(transformers.AutoImageProcessor, path, "image processor", backend="pil")
    if missing:
        raise UsageError(
            f'the weights of "{path}" lack {len(missing):,} tensors of the model, such as {missing[0]}: both its '
            "sides, for pictures and for words, must be there"
        )
    return ClipModel(path, model, tokenizer, processor)


def _transformers() -> Any:
    """The package, loaded where it is needed; it is an extra."""
    try:
        return import_module("transformers")
    except ImportError as error:
        raise UsageError(f"names from words need transformers: {INSTALL}") from error


def _require_files(path: Path) -> None:
    """Raises UsageError for what it lacks: without its file, transformers 5 makes a tokenizer that knows no word."""
    if not list(path.glob("*.safetensors")):
        raise UsageError(
            f'the folder "{path}" holds no weights in safetensors, and others are not read: save the model again with '
            "save_pretrained"
        )
    for what, names in PARTS.items():
        if not any((path / name).is_file() for name in names):
            raise UsageError(f'the folder "{path}" holds no {what} ({" or ".join(names)}): save it there too')


def _require_family(path: Path, config: Any) -> None:
    kind = str(getattr(config, "model_type", ""))
    if kind in FAMILIES:
        return
    known = " or ".join(f"{family.name} (model_type {name})" for name, family in FAMILIES.items())
    side = next((name for name in FAMILIES if kind in (f"{name}_vision_model", f"{name}_text_model")), None)
    if side is not None:
        raise UsageError(
            f'the folder "{path}" holds one side of a {FAMILIES[side].name} model ({kind}): pictures and words are '
            "compared by the whole model"
        )
    raise UsageError(f'the folder "{path}" holds a model of type "{kind}", which is not read: give {known}')


def _require_end(path: Path, config: Any, tokenizer: Any) -> None:
    """CLIP takes a text at its end: where that token is another, transformers takes all texts at their first one.

    Models of early days have 2 for it, and are then read by the highest token.
    """
    end = getattr(config.text_config, "eos_token_id", None)
    if not FAMILIES[config.model_type].padded and end not in (2, tokenizer.eos_token_id):
        raise UsageError(
            f'the tokenizer of "{path}" ends its texts with another token ({tokenizer.eos_token_id}) than its '
            f"config.json ({end}): take both from one model"
        )


def _model(transformers: Any, path: Path, config: Any) -> tuple[Any, list[str]]:
    """The model in single precision, and the names of the tensors that its weights lack."""
    try:
        model, found = transformers.AutoModel.from_pretrained(
            path, config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True,
            dtype=torch.float32, output_loading_info=True,
        )  # fmt: skip
    except Exception as error:
        raise TraceError(_why(path, error)) from error
    return model.eval(), sorted(found["missing_keys"])


def _part(kind: Any, path: Path, what: str, **more: Any) -> Any:
    """The tokenizer or the image processor of the folder."""
    try:
        return kind.from_pretrained(path, local_files_only=True, trust_remote_code=False, **more)
    except Exception as error:
        said = " ".join(str(error).split())
        if isinstance(error, ImportError):
            raise UsageError(f'the {what} of "{path}" needs more packages: {INSTALL} ({said[:160]})') from error
        raise UsageError(f'the folder "{path}" holds no {what} that can be read: {said[:200]}') from error


def _why(path: Path, error: Exception) -> str:
    """What is wrong with a folder, in one sentence."""
    said = " ".join(str(error).split())
    if "trust_remote_code" in said:
        return f'the model in "{path}" brings code of its own, which is not run: give a CLIP or SigLIP model'
    if "ignore_mismatched_sizes" in said:
        return f'the weights in "{path}" do not fit its config.json: copy both from one model'
    return f'the model in "{path}" cannot be opened: {type(error).__name__}: {said[:200]}'


def _unit(output: Any, what: str) -> Float32[np.ndarray, "b d"]:
    """Vectors of length 1. Before transformers 5 the features were the output itself. Raises TraceError."""
    features = output if isinstance(output, torch.Tensor) else output.pooler_output
    vectors = features.float()
    length = vectors.norm(dim=-1, keepdim=True)
    if not bool(torch.isfinite(length).all()) or bool((length == 0).any()):
        raise TraceError(f"the model makes no numbers of {what}: its weights are damaged")
    return (vectors / length).numpy()


def _key(folder: Path) -> str:
    """What its vectors of pictures depend on: weights and settings, by their bytes."""
    digest = hashlib.sha256()
    for file in _files(folder):
        with open(file, "rb") as opened:
            digest.update(f"{file.name} {hashlib.file_digest(opened, 'sha256').hexdigest()}\n".encode())
    return digest.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for pattern in ("*.safetensors", "config.json", "preprocessor_config.json", "processor_config.json"):
        yield from sorted(folder.glob(pattern))
