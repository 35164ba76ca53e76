"""The client of a command."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncGenerator

import attrs

from persona_cases import testing
from persona_cases.cli.options.combinations import check_connection
from persona_cases.cli.options.option_groups import DEFAULT_CASES, Connection
from persona_cases.cli.screen.error_lines import MissingKeyError
from persona_cases.client import PersonaClient
from persona_cases.protocol.call_options import DEFAULT_VERSION, Timeout
from persona_cases.transport.limits.limiter import LocalLimiter
from persona_cases.transport.network import trusted_by

__all__ = ["Connected", "connected", "unconnected"]


@attrs.frozen
class Connected:
    """A client and its limiter."""

    persona: PersonaClient
    limiter: LocalLimiter


@contextlib.asynccontextmanager
async def connected(options: Connection) -> AsyncGenerator[Connected]:
    """Connect a client to the API, or to a simulator that ends with the client.

    Raises:
        MissingKeyError: if there is no API key.
        InvalidArgumentError: if an option is invalid.
    """
    check_connection(options)
    limiter = LocalLimiter()
    async with contextlib.AsyncExitStack() as stack:
        if options.simulator:
            cases = DEFAULT_CASES if options.cases is None else options.cases
            # `testing` loads the simulator and its web server on first use.
            simulator = await stack.enter_async_context(testing.Simulator(cases=cases, seed=options.seed or 0))
            persona = _client(options, simulator.api_key, simulator.base_url, limiter)
        else:
            if not os.environ.get("PERSONA_API_KEY"):
                raise MissingKeyError
            persona = _client(options, None, options.base_url, limiter)
        await stack.enter_async_context(persona)
        yield Connected(persona, limiter)


def unconnected(options: Connection) -> PersonaClient:
    """Return a client that only explains requests, so it needs no API key."""
    check_connection(options)
    return _client(options, "never-sent", options.base_url, LocalLimiter())


def _client(options: Connection, key: str | None, url: str | None, limiter: LocalLimiter) -> PersonaClient:
    return PersonaClient(
        key,
        base_url=url,
        version=DEFAULT_VERSION if options.persona_version is None else options.persona_version,
        timeout=Timeout() if options.timeout is None else options.timeout,
        max_wait=options.max_wait,
        limiter=limiter,
        allow_http=options.allow_http or None,
        proxy=options.proxy,
        ssl=None if options.ca_file is None else trusted_by(options.ca_file, "--ca-file"),
    )
