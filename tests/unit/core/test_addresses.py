"""Addresses are shown without secrets, and keep all that tells where a thing lies."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerscope.core.addresses import common, holds_user, shown

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("s3://bucket/a/1.jpg", "s3://bucket/a/1.jpg"),
        (f"s3://key:{SECRET}@bucket/a", "s3://bucket/a"),
        (f"s3://key:x/y/{SECRET}@bucket/a", "s3://bucket/a"),
        (f"s3://key:{SECRET}/a", "s3://key"),
        ("https://host:81/a@2x.jpg", "https://host:81/a@2x.jpg"),
        (f"https://me:{SECRET}@host:81/a.tar?X-Amz-Signature={SECRET}#{SECRET}", "https://host:81/a.tar"),
        (f"https://host/a.tar?{SECRET}", "https://host/a.tar"),
        (f"zip://a/*.jpg::https://me:{SECRET}@host/a.zip?sig={SECRET}", "zip://a/*.jpg::https://host/a.zip"),
        (f"s3://bucket/a.tar?versionId={SECRET}", "s3://bucket/a.tar"),
        ("s3://bucket/image?.jpg", "s3://bucket/image?.jpg"),
        ("s3://bucket/a@2x.jpg", "s3://bucket/a@2x.jpg"),
        ("photos/what?/me@home", "photos/what?/me@home"),
    ],
)  # fmt: skip
def test_what_is_shown_has_no_secret(address: str, expected: str) -> None:
    """Users, passwords, signatures and fragments go; names, wildcards and at-signs of files stay."""
    assert shown(address) == expected and shown(expected) == expected
    assert holds_user(address) == (re.search(rf":[^?]*{SECRET}[@/]", address) is not None) and not holds_user(expected)


NAMES = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=8)


@given(
    NAMES,
    NAMES,
    st.text(st.characters(blacklist_characters="/:", codec="ascii"), min_size=1, max_size=20),
    st.integers(0, 1),
)
def test_no_password_is_shown_whatever_it_is(host: str, name: str, password: str, web: int) -> None:
    """Whatever characters it has but those that end a host."""
    scheme = ("s3", "https")[web]
    assert shown(f"{scheme}://user:{password}@{host}/{name}") == f"{scheme}://{host}/{name}"


def test_the_folder_that_addresses_share_ends_in_a_slash() -> None:
    """Of one address it is the folder that it lies in; names that begin alike share no folder."""
    assert common(["b/a/1.jpg", "b/a/2.jpg"]) == "b/a/" and common(["b/a/1.jpg"]) == "b/a/"
    assert common(["b/ab/1.jpg", "b/a/1.jpg"]) == "b/" and common(["a/1", "b/1"]) == ""
