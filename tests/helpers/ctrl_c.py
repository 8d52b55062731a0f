"""Ctrl-C, as in a terminal, for a process that a test starts."""

import signal


def heed_ctrl_c() -> None:
    """A shell that starts the tests in the background lets them, and what they start, ignore it: called in the child
    before it runs, this undoes that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
