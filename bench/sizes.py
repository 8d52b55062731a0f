"""How much of everything is measured: in earnest, or only to see that it runs."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The sizes of one run.

    repeats: turns of every contender. tensors: images of a scan from tensors. files: images of a scan from JPEG files.
    projected: images whose projections are measured, in groups of 32. sampled: projections per layer that the rivals
    make. built: images of a whole build. photographs: large pictures of another one. scans: the two lengths of a scan
    whose memory is compared. networks: those that are scanned. listed: the network whose layers are listed twice.
    """

    repeats: int
    tensors: int
    files: int
    projected: int
    sampled: int
    built: int
    photographs: int
    scans: tuple[int, int]
    networks: tuple[str, ...]
    listed: str

    @property
    def pictures(self) -> int:
        """How many picture files all of it needs."""
        return max(self.tensors, self.files, self.projected, self.built)


FULL = Sizes(
    repeats=5, tensors=512, files=512, projected=320, sampled=96, built=256, photographs=20, scans=(1_000, 10_000),
    networks=("alexnet", "resnet50", "mobilenet_v2"), listed="torchvision:resnet50/none",
)  # fmt: skip
QUICK = Sizes(
    repeats=1,
    tensors=32,
    files=32,
    projected=32,
    sampled=9,
    built=32,
    photographs=2,
    scans=(100, 200),
    networks=("alexnet",),
    listed="worldnet/none",
)
