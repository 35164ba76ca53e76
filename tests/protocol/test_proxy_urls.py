"""Proxies as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from persona_cases.errors import InvalidArgumentError
from persona_cases.protocol.addresses.proxies import Proxy, read_proxy


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("http://proxy.example.com:3128", Proxy("http://proxy.example.com:3128")),
        ("https://proxy.example.com", Proxy("https://proxy.example.com")),
        ("http://[::1]:3128/", Proxy("http://[::1]:3128")),
        ("http://jane:p%40ss@proxy:1", Proxy("http://proxy:1", "jane", "p@ss")),
        ("http://jane@proxy:1", Proxy("http://proxy:1", "jane", "")),
    ],
)
def test_what_is_understood(written, expected):
    assert read_proxy(written, "proxy") == expected


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("proxy.example.com:3128", "has no scheme"),
        ("jane:secret@proxy:3128", "has no scheme"),
        ("", "has no scheme"),
        ("socks5://jane:secret@proxy:1080", "has a scheme other than http and https"),
        ("http://", "does not name a host"),
        ("http://proxy:0", "does not name a host"),
        ("http://proxy:99999", "is not a URL"),
        ("http://[proxy/", "is not a URL"),
        ("http://proxy/path", "has more than a host and a port"),
        ("http://proxy?secret", "has more than a host and a port"),
        ("http://ja%3Ane:secret@proxy", "has a user name with a colon"),
        ("http://pro xy", "is not a URL in plain text"),
        (b"http://proxy", "is not a URL in plain text"),
        (7, "is not a URL in plain text"),
    ],
)
def test_what_is_refused_and_not_shown(written, said):
    with pytest.raises(InvalidArgumentError) as caught:
        read_proxy(written, "proxy")
    assert str(caught.value) == f"proxy {said}: write it as http://host:port" or said.startswith("has a scheme")
    assert str(caught.value).startswith(f"proxy {said}")
    assert "secret" not in str(caught.value)


@given(st.text() | st.builds("http://{}".format, st.text()))
def test_no_text_breaks_the_reader(text):
    try:
        proxy = read_proxy(text, "proxy")
    except InvalidArgumentError:
        return
    assert proxy.url.startswith(("http://", "https://"))
    assert proxy.password == "" or proxy.password not in repr(proxy)
