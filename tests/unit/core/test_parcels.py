"""What is large and the same goes once; the rest goes with each stage, and what is opened is what was packed."""

import pickle
from typing import Any

import pytest

from layerscope.core.engines import Piece
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.parcels import Packing, Unpacking
from layerscope.core.parted import delivered


class Net:
    """Large, and the same in every stage."""

    travels_alone = True

    def __init__(self, weights: bytes) -> None:
        self.weights = weights


class Stage:
    """Work with a network, held twice, of which pieces bring names along."""

    def __init__(self, net: Net, names: dict[int, str]) -> None:
        self.net, self.held, self.names = net, [net], names

    def __call__(self, pieces: Any) -> Any:
        from layerscope.core.engines import in_turn

        return in_turn(pieces, lambda piece: iter([(self.names[piece.held], self.held[0].weights)]))

    def hollow(self) -> "Stage":
        return Stage(self.net, {})

    def luggage(self, piece: Piece[int]) -> dict[int, str]:
        return {piece.held: self.names[piece.held]}

    def take(self, luggage: dict[int, str]) -> None:
        self.names = luggage

    def few(self) -> dict[int, str]:
        return {0: self.names[0]}

    def sight(self) -> tuple[tuple[str, str], ...]:
        return tuple((name, f"it is {DISK.get(name, 'missing')}") for name in [self.names[0]])


DISK: dict[str, str] = {}


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What a machine sees of the images."""
    monkeypatch.setitem(DISK, "a.png", "an image")
    return DISK


def test_a_network_goes_once_and_is_opened_once(disk: dict[str, str]) -> None:
    """By what it holds: through several stages, in several places of a work, and as a second network of equal bytes."""
    kept: dict[str, bytes] = {}
    fetched: list[str] = []

    def fetch(key: str) -> bytes:
        fetched.append(key)
        return kept[key]

    def keep(key: str, data: bytes) -> None:
        assert key not in kept
        kept[key] = data

    packing, unpacking = Packing("far", keep), Unpacking(fetch)
    first, equal, other = Net(bytes(100_000)), Net(bytes(100_000)), Net(b"\1" * 100_000)
    works = [Stage(net, {0: "a.png", 1: "b.png"}) for net in (first, first, equal, other, first)]
    opened = []
    for work in works:
        parcel = packing.parcel(work, elsewhere=False)
        assert len(parcel.rest) < 1000 and len(parcel.alone) == 1
        opened.append(unpacking.work(parcel.rest, parcel.alone))
        made = delivered(opened[-1], Piece(1, 1, 1), pickle.loads(pickle.dumps(parcel.luggage(Piece(1, 1, 1)))))
        assert list(made) == [("b.png", work.net.weights)]
        assert opened[-1].net is opened[-1].held[0]
    assert len(kept) == 2
    assert opened[0].net is opened[1].net is opened[2].net
    # What the latest work does not hold is let go.
    assert len(fetched) == 3


def test_a_few_images_must_be_the_same_elsewhere(disk: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where that is asked for; names come along for it."""
    work = Stage(Net(b""), {0: "a.png", 1: "b.png"})
    parcels = {
        elsewhere: Packing("far", lambda *_: None).parcel(work, elsewhere=elsewhere) for elsewhere in (False, True)
    }
    for parcel in parcels.values():
        Unpacking(lambda key: pickle.dumps(work.net)).work(parcel.rest, parcel.alone)
    monkeypatch.delitem(DISK, "a.png")
    Unpacking(lambda key: pickle.dumps(work.net)).work(parcels[0].rest, parcels[0].alone)
    with pytest.raises(ImageError, match=r"^a.png is not .*: here it is missing, where .* it is an image; every"):
        Unpacking(lambda key: pickle.dumps(work.net)).work(parcels[1].rest, parcels[1].alone)


def test_what_cannot_travel_is_a_sentence() -> None:
    """Within what travels alone, too."""
    net = Net(b"")
    net.weights = lambda: b""  # type: ignore[assignment]
    with pytest.raises(UsageError, match='the engine "far" hands network and images to other processes'):
        Packing("far", lambda *_: None).parcel(Stage(net, {}), elsewhere=False)
