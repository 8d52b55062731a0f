"""A hub of weights that cannot be reached is told at once: being offline is normal, and nothing to wait for."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

HUB = "https://huggingface.co"
# Behind a proxy names need not resolve here.
_PROXIES = ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy")


@contextmanager
def hub_at_hand() -> Iterator[bool]:
    """Within, what the hub's client has fetched before is used, and nothing waits where the hub cannot be reached.

    Gives whether it can be.
    """
    constants: Any = import_module("huggingface_hub.constants")
    before, reached = constants.HF_HUB_OFFLINE, not constants.HF_HUB_OFFLINE and _resolves()
    constants.HF_HUB_OFFLINE = not reached
    try:
        yield reached
    finally:
        constants.HF_HUB_OFFLINE = before


def _resolves() -> bool:
    """True where the hub's name stands for an address, or a proxy is there to ask."""
    if any(os.environ.get(name) for name in _PROXIES):
        return True
    host = urlsplit(os.environ.get("HF_ENDPOINT") or HUB).hostname or ""
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False


@contextmanager
def hub_shut() -> Iterator[None]:
    """Within, nothing is asked of the hub, whatever a folder's files name."""
    constants: Any = import_module("huggingface_hub.constants")
    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before
