"""Who is looked at next: one thread for one network, and every viewer in turn, with the newest that it asked for.

A viewer has at most one answer under way and one question waiting; a newer question replaces it. So nobody starves,
nothing piles up, however much is sent and however little is read.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from layerscope.core.errors import LayerscopeError
from layerscope.viewer.frames import Message, MessageKind

SEATS = 8
# The thread ends when nobody has asked for so long, and starts again with the next question.
IDLE_SECONDS = 5.0
BUG = "that did not work, and it is a bug of layerscope; the terminal where it runs tells more"


class Seat:
    """One viewer.

    deliver: takes each answer: bytes, or the sentence that says why there is none; called from the worker's thread.
    """

    def __init__(self, request: Any, deliver: Callable[[Message, bytes | str], None]) -> None:
        self.request, self.deliver = request, deliver
        self.picture: Message | None = None
        self.asked: Message | None = None
        self.busy = self.gone = False


class Turns:
    """The seats, and the thread that serves them.

    look: a picture's message, the message that asks, and the request -> the answer; it may raise LayerscopeError.
    """

    def __init__(self, look: Callable[[Message, Message, Any], bytes]) -> None:
        self._look = look
        self._changed = threading.Condition()
        self._line: deque[Callable[[], None]] = deque()
        self._seats: set[Seat] = set()
        self._thread: threading.Thread | None = None

    def join(self, request: Any, deliver: Callable[[Message, bytes | str], None]) -> Seat | None:
        """A seat; None where all are taken."""
        with self._changed:
            if len(self._seats) >= SEATS:
                return None
            seat = Seat(request, deliver)
            self._seats.add(seat)
            return seat

    def leave(self, seat: Seat) -> None:
        """Nothing of this viewer is looked at any more."""
        with self._changed:
            seat.gone, seat.asked, seat.picture = True, None, None
            self._seats.discard(seat)

    def ask(self, seat: Seat, message: Message) -> None:
        """Look at this picture, or at the last one again; what still waited is forgotten."""
        with self._changed:
            if message.kind in (MessageKind.FRAME, MessageKind.IMAGE):
                seat.picture = message
            if seat.picture is None or seat.gone:
                return
            waits, seat.asked = seat.asked is not None, message
            if not waits and not seat.busy:
                self._queue(lambda: self._serve_seat(seat))

    def sent(self, seat: Seat) -> None:
        """The viewer has its answer; what it asked for meanwhile is next in line."""
        with self._changed:
            seat.busy = False
            if seat.asked is not None:
                self._queue(lambda: self._serve_seat(seat))

    def _queue(self, job: Callable[[], None]) -> None:
        self._line.append(job)
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="layerscope live", daemon=True)
            self._thread.start()
        self._changed.notify()

    def _serve(self) -> None:
        while True:
            with self._changed:
                if not self._line and not self._changed.wait_for(lambda: bool(self._line), IDLE_SECONDS):
                    self._thread = None
                    return
                job = self._line.popleft()
            job()

    def _serve_seat(self, seat: Seat) -> None:
        with self._changed:
            asked, picture, request = seat.asked, seat.picture, seat.request
            if asked is None or picture is None:
                return
            seat.asked, seat.busy = None, True
        try:
            answer: bytes | str = self._look(picture, asked, request)
        except LayerscopeError as error:
            answer = str(error)
        except Exception:
            logging.getLogger(__name__).exception("a frame could not be looked at")
            answer = BUG
        if not seat.gone:
            seat.deliver(asked, answer)
