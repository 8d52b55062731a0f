"""An engine of a guest: pieces are made in other processes, begun anew, which are handed network and images once."""

import pickle
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from multiprocessing import get_context

from layerscope.core.engines import Engine, one, packed


@lru_cache(1)
def work_of(data):
    return pickle.loads(data)


def make(data, piece):
    return one(work_of(data), piece)


def made_by(pool, work, pieces):
    yield from pool.map(partial(make, packed(work, "pool")), pieces)


@contextmanager
def started(workers):
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        yield partial(made_by, pool)
    finally:
        pool.shutdown(cancel_futures=True)


POOL = Engine(
    name="pool",
    sentence="every piece in a pool of processes",
    open=started,
)
