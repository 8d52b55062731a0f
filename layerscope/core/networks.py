"""The kinds of networks, in words: how each is written, how one is told from the others, and what loads it.

A network is named by a text such as `torchvision:alexnet`, or handed over from Python. Whoever has one asks the kinds
in order which of them it is (`kind_of`); nothing heavy is loaded for that. A kind's `load` gives a module or an
exported program, what it expects as input, and a name.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from layerscope.core import keras_applications
from layerscope.core.own_networks import OURS
from layerscope.core.registry import Registry, Row, later

# Behind the name of a network that can be had without its weights.
NONE = "/none"


@dataclass(frozen=True, kw_only=True)
class How:
    """How a network is opened, beside what names it.

    weights: a file with weights for it, or "FILE::KEY". trust: whether code that a file brings along may be run. bind:
    values for further arguments of its forward, by name.
    """

    weights: str | None = None
    trust: bool = False
    bind: Mapping[str, object] = field(default_factory=dict[str, object])

    @classmethod
    def of(
        cls, weights: str | os.PathLike[str] | None, trust: bool = False, bind: Mapping[str, object] | None = None
    ) -> "How":
        """What a user says of it."""
        return cls(weights=None if weights is None else os.fspath(weights), trust=trust, bind=bind or {})

    @property
    def said(self) -> bool:
        """True where anything was said."""
        return self != OWN_WAY


OWN_WAY = How()


@dataclass(frozen=True, kw_only=True)
class NetworkKind(Row):
    """A way to name a network.

    form: as users write it, words of theirs in capitals ("torchvision:NAME"). load: the network as named (a text, or
    what was handed over), weights= a file with weights or "FILE::KEY" (None: its own), with_weights= False: random
    weights do where no file is given -> `layerscope.models.Loaded`, whose `input` says how pictures become its input.
    Such a call is made anew each time, gives the same weights each time, and raises a LayerscopeError, in one sentence,
    for what it cannot give.

    A network is of this kind where its text begins with `prefix` or ends with `ending`, or where `claims`, a function
    of what was named, says so. random: it can be had with seeded random weights, by "/none" behind the name. filled:
    it takes a file's weights. trusting: it may have to run code that a file brings along; `load` is given trust= too,
    whether the user allows that. packaged: the name alone says what it is, so what was read of it may be kept from run
    to run. names: the names there are, as they are written, for "did you mean". samples: networks that tests may load,
    small and without a file or a download.
    """

    form: str
    load: Callable[..., Any]
    prefix: str = ""
    ending: str = ""
    claims: Callable[[object], bool] | None = None
    random: bool = False
    filled: bool = False
    trusting: bool = False
    packaged: bool = False
    names: Callable[[], Iterable[str]] | None = None
    samples: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (self.prefix or self.ending or self.claims):
            raise ValueError(f'the network kind "{self.name}" needs a prefix, an ending or claims')

    def is_its_own(self, network: object) -> bool:
        """Whether a network, by its text or as handed over, is of this kind."""
        if self.claims is not None and self.claims(network):
            return True
        if not isinstance(network, str):
            return False
        begins = bool(self.prefix) and network.startswith(self.prefix) and len(network) > len(self.prefix)
        return begins or (bool(self.ending) and network.endswith(self.ending))


def _is_ours(network: object) -> bool:
    return isinstance(network, str) and network.partition("/")[0] in OURS


def _is_code(network: object) -> bool:
    return isinstance(network, str) and ".py:" in network


def _is_pickle(network: object) -> bool:
    return isinstance(network, str) and network.endswith((".pth", ".ckpt")) and ".py:" not in network


NETWORKS = Registry(
    "network kind",
    "layerscope.networks",
    NetworkKind,
    (
        NetworkKind(
            name="named", sentence="a network that layerscope brings along", form=", ".join(OURS), claims=_is_ours,
            load=later("layerscope.models.named:named_network"), random=True, filled=True, packaged=True,
            names=lambda: OURS, samples=("worldnet", "zfnet64/none"),
        ),
        NetworkKind(
            name="torchvision", sentence="a classification network of torchvision, with its published weights",
            form="torchvision:NAME", prefix="torchvision:", needs=("torchvision",), install="torchvision",
            load=later("layerscope.models.torchvision:torchvision_network"), random=True, filled=True, packaged=True,
            names=later("layerscope.models.torchvision:names"), samples=("torchvision:squeezenet1_1/none",),
        ),
        NetworkKind(
            name="timm", sentence="a network of timm, with its published weights and their preprocessing",
            form="timm:NAME", prefix="timm:", needs=("timm",), install="layerscope[timm]",
            load=later("layerscope.models.of_timm:timm_network"), random=True, filled=True, packaged=True,
            names=later("layerscope.models.of_timm:names"), samples=("timm:test_resnet/none",),
        ),
        NetworkKind(
            name="hf", sentence="an image classifier of transformers, of the hub or of a local folder of the same form",
            form="hf:ID_OR_FOLDER", prefix="hf:", needs=("transformers",), install="layerscope[hf]",
            load=later("layerscope.models.of_transformers:transformers_network"), random=True, filled=True,
        ),
        NetworkKind(
            name="smp", sentence="a segmenter of segmentation_models_pytorch, or a folder of its save_pretrained",
            form="smp:ARCHITECTURE/ENCODER, smp:ID_OR_FOLDER", prefix="smp:", needs=("segmentation_models_pytorch",),
            install="layerscope[smp]", load=later("layerscope.models.of_smp:smp_network"), random=True, filled=True,
        ),
        NetworkKind(
            name="xrv", sentence="a classifier of chest X-rays of torchxrayvision, by the name of its weights",
            form="xrv:NAME", prefix="xrv:", needs=("torchxrayvision",), install="layerscope[xrv]",
            load=later("layerscope.models.of_xrv:xrv_network"), random=True, filled=True, trusting=True,
            packaged=True, names=later("layerscope.models.of_xrv:names"),
        ),
        NetworkKind(
            name="keras-application",
            sentence="a convolutional network of keras.applications, with its published weights",
            form="keras:APPLICATION", claims=keras_applications.is_application, needs=("keras", "h5py"),
            install="layerscope[keras]", load=later("layerscope.models.keras.loading:keras_application"), random=True,
            filled=True, packaged=True, names=keras_applications.names,
        ),
        NetworkKind(
            name="keras", sentence="a model that Keras 3 saved, or one that you hold",
            form="keras:FILE.keras, keras:FILE.h5",
            claims=keras_applications.is_keras, needs=("keras", "h5py"), install="layerscope[keras]",
            load=later("layerscope.models.keras.loading:keras_file"),
        ),
        NetworkKind(
            name="file", sentence="a network of your own: what a function in a Python file gives",
            form="path/file.py:FUNCTION", claims=_is_code, load=later("layerscope.models.user_code:user_network"),
            filled=True,
        ),
        NetworkKind(
            name="pickled", sentence="a whole network in a file of torch.save, opened only with --trust",
            form="path/model.pt", ending=".pt", claims=_is_pickle, trusting=True,
            load=later("layerscope.models.pickled:pickled_network"),
        ),
        NetworkKind(
            name="exported", sentence="an exported program, as torch.export.save writes it", form="path/model.pt2",
            ending=".pt2", load=later("layerscope.models.exported:exported_network"),
        ),
        NetworkKind(
            name="onnx", sentence="a network in an ONNX file, whatever wrote it", form="path/model.onnx",
            ending=".onnx", needs=("onnx",), install="layerscope[onnx]",
            load=later("layerscope.models.onnx:onnx_network"),
        ),
    ),
)  # fmt: skip


def kind_of(network: object) -> NetworkKind | None:
    """The first kind that a network is of; None where it is of none.

    Raises UsageError for one that begins with the name of a kind that cannot be loaded or lacks a package.
    """
    own = next((row for row in NETWORKS.own.values() if row.is_its_own(network)), None)
    if own is not None:
        return own
    guest = next((row for row in NETWORKS if row.is_its_own(network)), None)
    head, colon, _ = network.partition(":") if isinstance(network, str) else ("", "", "")
    return NETWORKS[head] if guest is None and colon and head in NETWORKS.guests else guest


def packaged(network: str) -> bool:
    """Whether the name alone says which network this is, so that what was read of it may be kept."""
    kind = kind_of(network)
    return kind is not None and kind.packaged


def forms(mark: str = "") -> str:
    """How networks are written, in one clause, for help, docs and refusals. mark: what stands around what is typed."""
    random = [_marked(row.form, mark) for row in NETWORKS if row.random]
    others = [_marked(row.form, mark) for row in NETWORKS if not row.random]
    return f"{', '.join(random)}, each also with {mark}{NONE}{mark} (random weights), {_listed(others)}"


def filled_forms() -> str:
    """The networks that take a file's weights, in one clause."""
    return _listed([row.form for row in NETWORKS if row.filled])


def _marked(form: str, mark: str) -> str:
    return ", ".join(f"{mark}{one}{mark}" for one in form.split(", "))


def _listed(forms: list[str]) -> str:
    return f"{', '.join(forms[:-1])} or {forms[-1]}" if len(forms) > 1 else "".join(forms)
