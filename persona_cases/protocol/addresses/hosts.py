"""The location of a host, by its name: this machine, a private network, or the internet."""

from __future__ import annotations

import ipaddress
import re

__all__ = ["authority", "is_loopback", "is_public", "is_well_formed"]

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAME = re.compile(r"(?!.{254})(?:[a-z0-9_-]{1,63}\.)*[a-z0-9_-]{1,63}\.?", re.ASCII)
# The system's resolver reads 2130706433, 0x7f.1 and 127.1 as addresses, although nobody writes them like that.
_ENDS_IN_NUMBER = re.compile(r"(?:^|\.)(?:\d+|0x[0-9a-f]*)\.?$", re.ASCII)


def is_loopback(host: str) -> bool:
    """Return whether a host, in lower case and without brackets, is this machine."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    address = _address(name)
    return address is not None and any(each.is_loopback for each in _reached(address))


def is_public(host: str) -> bool:
    """Return whether a host can be on the internet, judging by its name.

    Literal addresses of this machine, of private networks and link-local ones are not. Names are not resolved.
    """
    name = host.rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return False
    address = _address(name)
    if address is None:
        return not _ENDS_IN_NUMBER.search(name)
    return all(each.is_global and not each.is_multicast for each in _reached(address))


def is_well_formed(host: str) -> bool:
    """Return whether a host can be resolved: an address, or an ASCII name that is not too long."""
    return _address(host) is not None or _NAME.fullmatch(host) is not None


def authority(host: str, port: int | None) -> str:
    """Return host and port as written in a URL."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port is None else f"{shown}:{port}"


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _reached(address: _Address) -> list[_Address]:
    """Return an address, and the IPv4 addresses embedded in it."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inside: list[_Address | None] = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64:
        inside.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return [address if address.ipv4_mapped is None else address.ipv4_mapped, *(each for each in inside if each)]


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
