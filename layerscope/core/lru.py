"""A bounded cache: what took long to make and is soon asked for again. The longest unused is let go first."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")

# So many different values may be made at once; who asks for one that is being made waits for it.
AT_ONCE = 8


def _one(value: object) -> int:
    return 1


class LruCache(Generic[Value]):
    """Values by key, usable from several threads.

    most: the weight of all together; the newest value is kept even where it is heavier alone. weigh: a value's weight,
    such as its bytes; by default every value weighs 1.
    """

    def __init__(self, most: int, weigh: Callable[[Value], int] = _one) -> None:
        self._most, self._weigh, self._weight = most, weigh, 0
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = threading.Lock()
        self._making = tuple(threading.Lock() for _ in range(AT_ONCE))

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of a key; made, and kept, if there is none. Whatever `make` raises is passed on."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        with self._making[hash(key) % AT_ONCE]:
            with self._lock:
                if key in self._values:
                    return self._values[key]
            made = make()
            self.put(key, made)
            return made

    def find(self, key: Hashable) -> Value | None:
        """The value of a key; None if there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; one that was there under its key goes."""
        weight = self._weigh(value)
        with self._lock:
            if key in self._values:
                self._weight -= self._weigh(self._values.pop(key))
            self._values[key] = value
            self._weight += weight
            while self._weight > self._most and len(self._values) > 1:
                _, oldest = self._values.popitem(last=False)
                self._weight -= self._weigh(oldest)
