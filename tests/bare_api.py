"""The API without a client, for tests of the rooms below it, which are made from an `Api`."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from persona_cases import RetryPolicy
from persona_cases.limits import LocalLimiter, QuotaLimiter
from persona_cases.protocol import secret
from persona_cases.protocol.addresses.urls import BaseURL
from persona_cases.protocol.call_options import Options
from persona_cases.resources.endpoint import Api
from persona_cases.transport.calls_under_way import Timing
from persona_cases.transport.file_hosts import FileHosts
from persona_cases.transport.limits.admission import Admission
from persona_cases.transport.network import Network
from persona_cases.transport.pipeline import Transport
from persona_cases.transport.session import HttpSession

QUICK = RetryPolicy(base=0)
"""Retries without a wait."""


@asynccontextmanager
async def bare_api(
    api_key: str,
    base_url: str,
    *,
    retry: RetryPolicy = QUICK,
    timing: Timing | None = None,
    file_hosts: FileHosts | None = None,
) -> AsyncGenerator[Api]:
    """Connect to an API as `PersonaClient` does; the connections are closed at the end of the block."""
    base = BaseURL.parse(base_url)
    network = Network(base.url, trust=None, proxy=None, trust_env=False, lent=False)
    key = secret.api_key(api_key, "api_key")
    session = HttpSession(base, key, None, max_connections=100, network=network)
    admission = Admission(LocalLimiter(), QuotaLimiter())
    try:
        yield Api(Transport(session, admission, timing=timing, file_hosts=file_hosts), base, Options(retry=retry))
    finally:
        await session.close()
