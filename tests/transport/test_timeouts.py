"""The timeouts of a call in the form of aiohttp."""

from __future__ import annotations

import pytest

from persona_cases import Timeout
from persona_cases.transport.session import client_timeout


@pytest.mark.parametrize(
    ("timeout", "read"),
    [(Timeout(), None), (Timeout(read=59.0), 59.0), (Timeout(total=5.0, read=5.0), None), (Timeout.of(5.0), None)],
)
def test_a_limit_for_silence_is_set_only_if_it_can_end_a_request(timeout, read):
    made = client_timeout(timeout)
    assert (made.total, made.sock_connect, made.sock_read) == (timeout.total, timeout.connect, read)


def test_downloads_have_no_total_but_a_limit_for_silence():
    made = client_timeout(Timeout(total=5.0), bounded=False)
    assert (made.total, made.sock_connect, made.sock_read) == (None, 10.0, 60.0)
