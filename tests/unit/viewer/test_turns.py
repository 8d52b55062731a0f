"""Viewers take turns: each gets the newest that it asked for, none waits for another's backlog."""

import queue
import threading

import pytest

from layerscope.core.errors import ImageError
from layerscope.viewer import turns as module
from layerscope.viewer.frames import Message, MessageKind
from layerscope.viewer.turns import BUG, SEATS, Turns


def asked(number: int, kind: MessageKind = MessageKind.FRAME, body: bytes = b"x") -> Message:
    return Message(kind=kind, number=number, body=body)


class Watched:
    """Turns whose looks are logged as (request, number, picture) and wait at a gate."""

    def __init__(self) -> None:
        self.log: list[tuple] = []
        self.gate, self.began = threading.Semaphore(0), threading.Semaphore(0)
        self.turns = Turns(self.look)
        self.answers: queue.Queue = queue.Queue()

    def look(self, picture: Message, message: Message, request: str) -> bytes:
        self.began.release()
        assert self.gate.acquire(timeout=10)
        self.log.append((request, message.number, picture.body))
        if picture.body == b"broken":
            raise ImageError("broken")
        if picture.body == b"bug":
            raise ZeroDivisionError
        return b"answer"

    def seat(self, name: str):
        made = self.turns.join(name, lambda message, answer: self.answers.put((name, message.number, answer)))
        assert made is not None
        return made

    def next(self) -> tuple:
        self.gate.release()
        return self.answers.get(timeout=10)


@pytest.fixture
def watched():
    return Watched()


def test_a_flood_leaves_only_the_newest(watched):
    """Of a hundred questions the first is answered, for it was free then, and the last."""
    seat = watched.seat("a")
    watched.turns.ask(seat, asked(0))
    assert watched.began.acquire(timeout=10)
    for number in range(1, 100):
        watched.turns.ask(seat, asked(number))
    assert watched.next() == ("a", 0, b"answer")
    watched.turns.sent(seat)
    assert watched.next() == ("a", 99, b"answer")
    assert [number for _, number, _ in watched.log] == [0, 99]


def test_nobody_starves(watched):
    """While one viewer floods, another's question comes next, before the flood's newest."""
    flooding, calm = watched.seat("flooding"), watched.seat("calm")
    watched.turns.ask(flooding, asked(0))
    assert watched.began.acquire(timeout=10)
    watched.turns.ask(calm, asked(7))
    for number in range(1, 50):
        watched.turns.ask(flooding, asked(number))
    assert watched.next()[:2] == ("flooding", 0)
    watched.turns.sent(flooding)
    assert watched.next()[:2] == ("calm", 7)
    assert watched.next()[:2] == ("flooding", 49)


def test_an_answer_not_taken_holds_back_the_next(watched):
    """A client that does not read has one answer made for it; the others go on."""
    stuck, other = watched.seat("stuck"), watched.seat("other")
    watched.turns.ask(stuck, asked(0))
    watched.next()
    for number in range(1, 20):
        watched.turns.ask(stuck, asked(number))
        watched.turns.ask(other, asked(100 + number))
        assert watched.next()[:2] == ("other", 100 + number)
        watched.turns.sent(other)
    assert [number for name, number, _ in watched.log if name == "stuck"] == [0]


def test_again_means_the_last_picture(watched):
    """A question without a picture is about the viewer's own last one; before there was one it is about nothing."""
    one, two = watched.seat("one"), watched.seat("two")
    watched.turns.ask(two, asked(1, MessageKind.AGAIN, b""))
    watched.turns.ask(one, asked(2, body=b"picture"))
    watched.next()
    watched.turns.sent(one)
    watched.turns.ask(one, asked(3, MessageKind.AGAIN, b""))
    watched.next()
    assert watched.log == [("one", 2, b"picture"), ("one", 3, b"picture")]


def test_a_failure_is_told_and_survived(watched, caplog):
    """A picture that cannot be used gets its sentence, a bug gets a plain one and a traceback in the log."""
    seat = watched.seat("a")
    for number, (body, expected) in enumerate([(b"broken", "broken"), (b"bug", BUG), (b"x", b"answer")]):
        watched.turns.ask(seat, asked(number, body=body))
        assert watched.next() == ("a", number, expected)
        watched.turns.sent(seat)
    assert "ZeroDivisionError" in caplog.text


def test_who_left_is_not_looked_at(watched):
    """Nothing is computed for a viewer that has gone, and its seat is free."""
    seats = [watched.seat(str(number)) for number in range(SEATS)]
    assert watched.turns.join("one more", lambda *_: None) is None
    watched.turns.ask(seats[0], asked(0))
    assert watched.began.acquire(timeout=10)
    watched.turns.ask(seats[1], asked(1))
    watched.turns.leave(seats[0])
    watched.turns.leave(seats[1])
    watched.gate.release()
    watched.turns.ask(seats[2], asked(2))
    assert watched.next()[:2] == ("2", 2)
    assert ("1", 1, b"x") not in watched.log
    assert watched.turns.join("one more", lambda *_: None) is not None


def test_the_thread_ends_and_starts_again(monkeypatch, watched):
    """Without questions no thread is left; the next question finds one."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    seat = watched.seat("a")
    for number in range(2):
        watched.turns.ask(seat, asked(number))
        thread = watched.turns._thread
        assert watched.next()[1] == number
        watched.turns.sent(seat)
        thread.join(10)
        assert not thread.is_alive() and watched.turns._thread is None
