"""Which addresses files are fetched from."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from yarl import URL

from persona_cases.errors import APIError, InvalidArgumentError
from persona_cases.protocol.addresses.file_addresses import FileAddresses
from persona_cases.protocol.addresses.hosts import is_public
from persona_cases.protocol.addresses.urls import BaseURL

VENDOR = FileAddresses(BaseURL.parse("https://api.withpersona.com/api/v1"))
SIMULATOR = FileAddresses(BaseURL.parse("http://127.0.0.1:8080/api/v1"))
CONTAINER = FileAddresses(BaseURL.parse("http://simulator:8080/api/v1", allow_http=True))
PRIVATE = FileAddresses(BaseURL.parse("https://10.0.0.5/api/v1"))

FILE = "https://files.withpersona.com/a%20b.pdf?access_token=x%2Fy+z=="


def test_an_address_stays_as_it_was_signed():
    assert VENDOR.first(FILE) == FILE
    assert VENDOR.first(f"{FILE}#page") == FILE
    assert VENDOR.first("https://Files.example.com:443") == "https://files.example.com:443/"
    assert VENDOR.first("https://files.example.com/ü b?q=ü") == "https://files.example.com/%C3%BC%20b?q=%C3%BC"


@pytest.mark.parametrize(
    ("addresses", "url"),
    [
        (SIMULATOR, "http://127.0.0.1:8080/files/a"),
        (SIMULATOR, "http://localhost:9/files/a"),
        (SIMULATOR, "https://10.0.0.1/a"),
        (SIMULATOR, FILE),
        (CONTAINER, "http://simulator:8080/files/a"),
        (CONTAINER, FILE),
        (PRIVATE, "https://10.0.0.5/files/a"),
        (PRIVATE, "https://10.0.0.6/files/a"),
    ],
)
def test_what_is_near_the_api_is_good_enough(addresses, url):
    assert addresses.first(url) == url


@pytest.mark.parametrize(
    ("addresses", "url", "said"),
    [
        (VENDOR, "http://files.withpersona.com/a", "must be https://"),
        (VENDOR, "http://127.0.0.1/a", "must be https://"),
        (VENDOR, "https://127.0.0.1/a", "private network"),
        (VENDOR, "https://169.254.169.254/latest", "private network"),
        (VENDOR, "https://[::ffff:10.0.0.1]/a", "private network"),
        (VENDOR, "https://2130706433/a", "private network"),
        (VENDOR, "https://localhost/a", "private network"),
        (SIMULATOR, "http://10.0.0.1/a", "must be https://"),
        (SIMULATOR, "http://files.example.com/a", "must be https://"),
        (CONTAINER, "http://simulator:8081/files/a", "must be https://"),
        (CONTAINER, "http://127.0.0.1/files/a", "must be https://"),
        (PRIVATE, "http://10.0.0.5/files/a", "must be https://"),
        (VENDOR, "https://[bad/", "is not a URL"),
        (VENDOR, "https://files.example.com:99999999/a", "is not a URL"),
        (VENDOR, "https://files.example.com:0/a", "does not name a host"),
        (VENDOR, f"https://{'a' * 300}/a", "does not name a host"),
        (VENDOR, f"https://{'a.' * 150}com/a", "does not name a host"),
        (VENDOR, "https:///a", "does not name a host"),
        (VENDOR, "https://ü.example/a", "does not name a host"),
        (VENDOR, "https://good.example\\@evil.example/a", "does not name a host"),
        (VENDOR, "https://files.example.com/\ud800", "is not a URL"),
        (VENDOR, "https://files.example.com/a\nb", "is not a URL"),
        (VENDOR, "https://jane:pw@files.example.com/a", "must not have a user name"),
        (VENDOR, "file:///etc/passwd", "must be https://"),
        (VENDOR, "javascript:alert(1)", "must be https://"),
        (VENDOR, "ftp://files.example.com/a", "must be https://"),
        (VENDOR, "/files/a", "must be https://"),
        (VENDOR, "", "is not a URL"),
        (VENDOR, None, "is not a URL"),
    ],
)
def test_what_is_refused(addresses, url, said):
    with pytest.raises(InvalidArgumentError, match=said) as caught:
        addresses.first(url)
    assert "passwd" not in str(caught.value)
    if isinstance(url, str) and "://" in url and ":///" not in url:
        # A redirect there is refused for the same reason.
        with pytest.raises(APIError, match=said) as caught:
            addresses.following(FILE, url, status=302, redirects=0)
        assert caught.value.status == 302


def follow(addresses, current, location, redirects=0):
    return addresses.following(current, location, status=302, redirects=redirects)


def test_a_redirect_leads_from_where_it_is():
    assert follow(VENDOR, FILE, "/other?x=1") == "https://files.withpersona.com/other?x=1"
    assert follow(VENDOR, FILE, "//cdn.example.com/a") == "https://cdn.example.com/a"
    assert follow(SIMULATOR, "http://127.0.0.1:8080/files/a", "/b") == "http://127.0.0.1:8080/b"
    assert follow(VENDOR, FILE, "https://cdn.example.com/a", redirects=4) == "https://cdn.example.com/a"


@pytest.mark.parametrize("location", ["http://127.0.0.1:8080/a", "https://127.0.0.1/a", "https://192.168.0.1/a"])
def test_the_internet_does_not_lead_back_into_a_private_network(location):
    with pytest.raises(APIError, match="the file host's redirect .*: it is not followed"):
        follow(SIMULATOR, "https://files.example.com/a", location)


@pytest.mark.parametrize(("location", "redirects"), [("/a", 5), (None, 0), ("", 0), ("//[::1/", 0)])
def test_a_redirect_that_leads_nowhere(location, redirects):
    with pytest.raises(APIError, match="is not followed"):
        follow(VENDOR, FILE, location, redirects)


HOSTS = (
    st.ip_addresses().map(lambda ip: f"[{ip}]" if ip.version == 6 else str(ip))
    | st.from_regex(r"[a-z0-9.@:\\%\[\]-]{0,40}", fullmatch=True)
    | st.sampled_from(["localhost", "0x7f.1", "2130706433", "files.example.com", "a" * 300])
)
URLS = st.text() | st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["https://", "http://", "//", "https:", "HTTPS://", "ftp://", ""]),
    HOSTS,
    st.sampled_from(["", ":443", ":0", ":99999999", ":x", "\ud800"]),
    st.text(max_size=20).map(lambda path: f"/{path}"),
)


@given(URLS)
@example("https://[bad/")
def test_whatever_passes_is_an_address_of_the_internet(url):
    for check in (VENDOR.first, lambda url: follow(VENDOR, FILE, url), lambda url: follow(SIMULATOR, FILE, url)):
        try:
            passed = check(url)
        except (InvalidArgumentError, APIError):
            continue
        # What aiohttp makes of it is the host that was checked.
        understood = URL(passed, encoded=True)
        assert understood.scheme == "https"
        assert understood.raw_host == urlsplit(passed).hostname
        assert is_public(understood.raw_host)
        assert understood.user is None
        assert passed.isascii()


@given(st.text())
def test_no_error_shows_an_address(text):
    for url in (f"http://jane.example/{text}", f"https://127.0.0.1/jane{text}", f"jane{text}"):
        with pytest.raises(InvalidArgumentError) as caught:
            VENDOR.first(url)
        assert "jane" not in str(caught.value)
