"""A store as fsspec opens it: which options each gets, and what an address names in it.

An address is a root, which names the store (and of a chain whatever the archive lies in), and a path inside it. Of one
source all images have one root, so an entry holds the path alone. Credentials are found by the libraries themselves, in
the environment of the machine that reads.
"""

from typing import Any

from fsspec.core import url_to_fs

from layerscope.core.addresses import CHAIN, holds_user, links, shown
from layerscope.core.errors import ImageError, UsageError
from layerscope.core.stores import STORES, ImageStore, store_of

WEB = ("http://", "https://")
# What differs from the libraries' own ways, by the word before "://".
_OPTIONS: dict[str, dict[str, Any]] = {
    # Alone each whole object costs a question for its size, and each failure is tried by botocore and twice by s3fs.
    "s3": {"max_concurrency": 1, "config_kwargs": {"retries": {"total_max_attempts": 1}, "read_timeout": 60}},
    **{name: {"client_kwargs": {"trust_env": True}, "block_size": 2**20} for name in ("http", "https")},
}


def root_of(address: str) -> str:
    """The part of an address that is the same for all that lies in one store: "s3://", or "zip://::s3://B/FILE.zip"."""
    first, *rest = links(address)
    return CHAIN.join((f"{first.partition('://')[0]}://", *rest))


def store_named(address: str) -> ImageStore:
    """The row of an address's store."""
    store = store_of(address) or next((row for row in STORES if address.startswith(row.prefix)), None)
    assert store is not None, "the kind is told by its prefix"
    return store


def require_plain(address: str) -> None:
    """Raises UsageError for an address that tells a user or a password: it would stay in the shell's history."""
    if holds_user(address):
        store = store_named(address)
        raise UsageError(f'"{shown(address)}": an address holds no user and no password; {store.keys}')
    if store_of(address) is not None and address.startswith("zip://") and CHAIN not in address:
        raise UsageError(f'"{shown(address)}" names no archive; write zip://FOLDER::FILE.zip')


def system_of(root: str, *, patient: bool = False) -> Any:
    """The store behind a root; fsspec keeps those that are open. Raises ImageError where it cannot be opened.

    patient: each of its questions is tried several times by itself, for what asks many to give one answer: a listing.
    """
    options = {
        word: given for word, given in _OPTIONS.items() if any(link.startswith(f"{word}://") for link in links(root))
    }
    if patient and "s3" in options:
        options["s3"] = {**options["s3"], "config_kwargs": {"retries": {"mode": "standard", "total_max_attempts": 5}}}
    chained = CHAIN in root
    try:
        found = url_to_fs(root, **options) if chained else url_to_fs(root, **options.get(root.partition("://")[0], {}))
    except (ImportError, ValueError) as failure:
        raise ImageError(
            f'"{shown(root)}" cannot be opened ({type(failure).__name__}); check how it is written'
        ) from None
    system: Any = found[0]
    if hasattr(system, "retries"):
        system.retries = 1
    return system


def path_in(root: str, address: str) -> str:
    """Where an address lies in its store, as the store writes it."""
    first = links(address)[0]
    if first.startswith(WEB):
        return first
    return first.partition("://")[2].strip("/")


def full(root: str, path: str) -> str:
    """The address of a path, for people."""
    return shown(address_in(root, path))


def address_in(root: str, path: str) -> str:
    """The address of a path, with what is secret in it."""
    first, *rest = links(root)
    whole = path if first.startswith(WEB) else f"{first}{path}"
    return CHAIN.join((whole, *rest))
