"""What took long to make and is soon asked for again: the newest, up to so many bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Held = TypeVar("Held")

# So many different things may be made at once; who asks for one that is being made waits for it.
AT_ONCE = 8


class Store(Generic[Held]):
    """Things by key, of which the longest unused are let go. Usable from several threads.

    most: bytes in all. weigh: how many a thing takes.
    """

    def __init__(self, most: int, weigh: Callable[[Held], int]) -> None:
        self._most, self._weigh, self._size = most, weigh, 0
        self._held: OrderedDict[Hashable, Held] = OrderedDict()
        self._lock = threading.Lock()
        self._making = tuple(threading.Lock() for _ in range(AT_ONCE))

    def get(self, key: Hashable, make: Callable[[], Held]) -> Held:
        """What stands under a key; made, and kept, if it does not."""
        with self._making[hash(key) % AT_ONCE]:
            with self._lock:
                if key in self._held:
                    self._held.move_to_end(key)
                    return self._held[key]
            made = make()
            with self._lock:
                self._held[key] = made
                self._size += self._weigh(made)
                while self._size > self._most:
                    _, oldest = self._held.popitem(last=False)
                    self._size -= self._weigh(oldest)
            return made
