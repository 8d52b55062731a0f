"""Addresses of places elsewhere, and how they may be shown and kept: without the secrets that stand in some of them.

A password before the host, the signature of a signed link and the like are for the server alone. Whatever is printed,
stored or logged goes through `shown`; only what asks the server holds the address as it was given.
"""

import re
from collections.abc import Iterable
from pathlib import Path

MANIFEST = ".manifest"  # behind an atlas's name: the listing of images that lie elsewhere
CHAIN = "::"  # joins the links of a chain, as fsspec writes it: a place inside a file, and where that lies
_WEB = ("http://", "https://")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
# Behind a question mark that begins no wildcard, a parameter: NAME=VALUE.
_QUERY = re.compile(r"\?[^/?]*=.*", re.DOTALL)


def links(address: str) -> list[str]:
    """The parts of a chained address; of any other it alone."""
    return address.split(CHAIN)


def shown(address: str) -> str:
    """The address without user, password, query and fragment, in each of its links."""
    return CHAIN.join(map(_shown_link, links(address)))


def holds_user(address: str) -> bool:
    """Whether a link of the address tells a user, or a password, to its server."""
    return any(link != _without_user(link) for link in links(address))


def _shown_link(link: str) -> str:
    link = _without_user(link)
    if link.startswith(_WEB):
        return re.split(r"[?#]", link, maxsplit=1)[0]
    return _QUERY.sub("", link)


def _without_user(link: str) -> str:
    scheme = _SCHEME.match(link)
    if scheme is None:
        return link
    rest = link[scheme.end() :]
    host, slash, below = rest.partition("/")
    if "@" in host:
        return f"{scheme[0]}{host.rpartition('@')[2]}{slash}{below}"
    name, colon, port = host.partition(":")
    if colon and not port.isdecimal():  # a password with a slash in it, as keys of S3 have
        return f"{scheme[0]}{rest.rpartition('@')[2] if '@' in rest else name}"
    return link


def common(addresses: Iterable[str]) -> str:
    """The folders that all addresses share, with a slash at the end; of one the folder that it lies in."""
    folders = [address.split("/")[:-1] for address in addresses]
    low, high = min(folders), max(folders)
    same = next((place for place, pair in enumerate(zip(low, high, strict=False)) if pair[0] != pair[1]), len(low))
    return "".join(f"{folder}/" for folder in low[:same])


def manifest_of(atlas: Path) -> Path:
    """The file beside an atlas that keeps the listing of images elsewhere."""
    return atlas.with_name(f"{atlas.name}{MANIFEST}")
