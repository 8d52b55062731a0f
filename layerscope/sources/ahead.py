"""Work is done ahead by threads, and its results come back in order.

Groups are begun in order and at most `ahead` of them wait beside the one that is handed out, so memory does not grow
with the number of groups. Results depend on neither the number of threads nor their timing.
"""

from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

GroupT = TypeVar("GroupT")
ResultT = TypeVar("ResultT")


def in_order(
    groups: Iterable[tuple[GroupT, Sequence[Callable[[], ResultT]]]], *, threads: int, ahead: int
) -> Generator[tuple[GroupT, list[ResultT]], None, None]:
    """Every group with the results of its calls, in order; the calls run in `threads` threads.

    What a call raises is raised where its group is handed out. On any early end, calls not yet begun are dropped and
    the threads have ended before control returns.
    """
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="layerscope-decode")
    waiting: deque[tuple[GroupT, list[Future[ResultT]]]] = deque()
    remaining = iter(groups)
    try:
        while True:
            for group, calls in islice(remaining, max(ahead, 0) + 1 - len(waiting)):
                waiting.append((group, [pool.submit(call) for call in calls]))
            if not waiting:
                return
            group, futures = waiting.popleft()
            yield group, [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
