"""How much of everything is measured: in earnest, or as a check of a change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of one run.

    measured: the measurements that are made where none is named. repeats: turns of every contender. scanned: images of
    a scan, from tensors and from JPEG files. projected: images whose projections are measured, in groups of 32.
    staged: the same for the stages of ResNet-50, a few. sampled: projections per layer that the rivals make. built:
    images of a whole build. beside: images of one that is made by two checkouts, and in how many turns. photographs:
    large pictures of another build. scans: the two lengths of a scan whose memory is compared. merged: images of
    each of two atlases that are merged, few and many. weighed: the networks of
    which this is done too, once each. networks: those that are scanned. read: those that are read as graphs. listed:
    the network whose layers are listed twice.
    """

    name: str
    measured: tuple[str, ...]
    repeats: int
    scanned: int
    projected: int
    staged: int
    sampled: int
    built: int
    beside: tuple[int, int]
    photographs: int
    scans: tuple[int, int]
    merged: tuple[int, int]
    weighed: tuple[str, ...]
    networks: tuple[str, ...]
    read: tuple[str, ...]
    listed: str

    @property
    def pictures(self) -> int:
        """How many picture files all of it needs."""
        return max(self.scanned, self.projected, self.staged, self.built, self.beside[0])


# Those of the quick form come first.
QUICK_ONES = ("forwards", "scan", "request", "projections", "build")
OTHERS = (
    "beside",
    "stages",
    "proposing",
    "ablating",
    "sharing",
    "photographs",
    "memory",
    "merging",
    "layers",
    "reading",
)

FULL = Sizes(
    name="full",
    measured=(*QUICK_ONES, *OTHERS),
    repeats=5,
    scanned=512,
    projected=320,
    staged=8,
    sampled=96,
    built=256,
    beside=(1_000, 3),
    photographs=20,
    scans=(1_000, 10_000),
    merged=(50_000, 500_000),
    weighed=("alexnet", "resnet50", "mobilenet_v2"),
    networks=("alexnet", "resnet50", "mobilenet_v2"),
    read=("alexnet", "mobilenet_v2"),
    listed="torchvision:resnet50/none",
)
QUICK = Sizes(
    name="quick",
    measured=QUICK_ONES,
    repeats=3,
    scanned=64,
    projected=32,
    staged=2,
    sampled=9,
    built=32,
    beside=(32, 1),
    photographs=2,
    scans=(100, 200),
    merged=(600, 1_200),
    weighed=(),
    networks=("alexnet", "mobilenet_v2"),
    read=("alexnet",),
    listed="worldnet/none",
)
