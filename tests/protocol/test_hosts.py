"""Where a host is, as far as its name tells."""

from __future__ import annotations

import pytest

from persona_cases.protocol.addresses.hosts import is_loopback, is_public, is_well_formed

LOOPBACK = ["localhost", "localhost.", "sim.localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
PRIVATE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "fe80::1",
    "fe80::1%eth0",
    "fd00::1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
]
# Spellings of addresses that a resolver takes, though nobody writes them so.
ODD = ["2130706433", "127.1", "0x7f.0.0.1", "0177.0.0.1", "0x7f000001", "010.0.0.1"]
PUBLIC = ["files.withpersona.com", "example.com.", "8.8.8.8", "2001:4860:4860::8888", "10.example.com", "a_b.example"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_this_machine(host):
    assert is_loopback(host)
    assert not is_public(host)


@pytest.mark.parametrize("host", PRIVATE + ODD)
def test_a_private_network(host):
    assert not is_loopback(host)
    assert not is_public(host)


@pytest.mark.parametrize("host", PUBLIC)
def test_the_internet(host):
    assert is_public(host)
    assert not is_loopback(host)
    assert is_well_formed(host)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", "a" * 64, "a." * 127 + "aa", "a b", "ü.example", "a\\b", "a@b", "[::1"]
)
def test_what_no_resolver_can_be_asked_for(host):
    assert not is_well_formed(host)


@pytest.mark.parametrize("host", ["a" * 63, "a." * 126 + "a", "xn--bcher-kva.example", "::1"])
def test_what_it_can_be_asked_for(host):
    assert is_well_formed(host)
