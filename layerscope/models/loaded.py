"""What is known of a network once it is found: the module, what it expects, and what was decided on the way."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor, nn
from torch.export import ExportedProgram

from layerscope.core.records import Input

# Of weights that are drawn at random.
RANDOM_SEED = 0


@dataclass(frozen=True)
class OwnForward:
    """A network's own software, from picture files on: what `layerscope trace-check` holds ours against.

    sentence: what prepares the pictures, in a few words. prepare: picture files -> the network's input [n, c, h, w], by
    that software's own code, none of ours; None where nobody says how. run: such an input -> what the network returns,
    by its own software, tensors in the order in which the network returns them; None where that is the module itself.
    """

    sentence: str
    prepare: Callable[[Sequence[Path]], Tensor] | None
    run: Callable[[Tensor], Sequence[Tensor]] | None = None


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A network that can be traced.

    name: as printed and stored. model: module or exported program. input: what it expects, if it says so. classes: the
    names of its outputs, empty where nobody says them. remarks: sentences on what was chosen for the user. unloaded:
    why a tensor of the model has no weights, by its name; layers that need one cannot be had. own: its own software's
    way from a picture file to what it returns; None where nobody says it.
    """

    name: str
    model: nn.Module | ExportedProgram
    input: Input | None
    classes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    unloaded: Mapping[str, str] = field(default_factory=dict)
    own: OwnForward | None = None


def picture_by_picture(sentence: str, transform: Callable[..., object]) -> OwnForward:
    """The way of a transform that takes one picture of Pillow's at a time, opened as torchvision and timm do."""

    def prepare(files: Sequence[Path]) -> Tensor:
        import torch
        from PIL import Image

        prepared = []
        for file in files:
            with Image.open(file) as picture:
                prepared.append(torch.as_tensor(transform(picture.convert("RGB"))))
        return torch.stack(prepared)

    return OwnForward(sentence=sentence, prepare=prepare)
