"""What other libraries say is kept off the screen: a command speaks in its own words, and in those of the user's code.

Warnings and log lines of Pillow, matplotlib, NumPy, torch and of what a network's file imports are meant for those who
program with them. Who asks Python for warnings (-W, PYTHONWARNINGS) or torch for its log (TORCH_LOGS) hears them.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from layerscope.core.stores import LIBRARIES

# Libraries that log as an error what their callers get as an exception or can do without.
# asyncio: of what a store's library left behind.
CRYING = ("PIL", "asyncio", *sorted(LIBRARIES))


@contextmanager
def others_silent() -> Iterator[None]:
    """Until the end of the block no warning is shown and no log line below an error is written; then all is as before.

    Only for a process of our own: this holds for all its threads.
    """
    if sys.warnoptions or os.environ.get("TORCH_LOGS"):
        yield
        return
    crying = [logging.getLogger(name) for name in CRYING]
    before = logging.root.manager.disable, [logger.level for logger in crying]
    try:
        # The filters stay as they are: a warning that somebody's code wants as an exception is one.
        with warnings.catch_warnings():
            warnings.showwarning = lambda *_, **__: None
            logging.disable(max(before[0], logging.WARNING))
            for logger in crying:
                logger.setLevel(logging.CRITICAL)
            yield
    finally:
        logging.disable(before[0])
        for logger, level in zip(crying, before[1], strict=True):
            logger.setLevel(level)
