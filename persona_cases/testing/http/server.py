"""The HTTP side of the simulator: sockets, with pure responses behind them."""

from __future__ import annotations

import asyncio
import socket
import struct
from typing import Protocol

import attrs
from aiohttp import web

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing.http.delivery import Delivery
from persona_cases.testing.http.problems import payload_too_large
from persona_cases.testing.http.traffic import Answer, ReceivedRequest

__all__ = ["HttpServer", "Outcome", "Responder", "nowhere"]

_LARGEST_BODY = 64 * 1024 * 1024
_GRACE = 0.05
"""Seconds that requests in progress have left when the server stops."""


@attrs.frozen
class Outcome:
    """A response and how to send it."""

    answer: Answer
    delivery: Delivery


def nowhere() -> Answer:
    """Return the response for a path outside the API: a page for humans, which a client must not take for the API's."""
    page = b"<!DOCTYPE html><html><head><title>Not found</title></head><body><h1>Not found</h1></body></html>"
    return Answer(404, {"Content-Type": "text/html; charset=utf-8"}, page)


class Responder(Protocol):
    """The interface that decides on responses."""

    def __call__(self, request: ReceivedRequest, authorization: str | None) -> Outcome:
        """Return the outcome of a request, whose path still has its root."""
        ...


class HttpServer:
    """Listens on one address, and responds with the outcomes of a `Responder`.

    Args:
        respond: decides on the responses.
        host: the address to bind.
        port: the port to bind; 0 uses a free port.
    """

    def __init__(self, respond: Responder, host: str, port: int) -> None:
        self._respond = respond
        self._host = host
        self._port = port
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port on which it listens."""
        return self._port

    async def start(self) -> None:
        """Start to listen.

        Raises:
            InvalidArgumentError: if the address cannot be bound.
        """
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_route("*", r"/{path:[\s\S]*}", self._handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_GRACE, handler_cancellation=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            await runner.cleanup()
            raise InvalidArgumentError(
                f"port: {self._host}:{self._port} cannot be listened on ({error.strerror or 'in use'}); "
                "stop what uses it, or take port 0 for a free one"
            ) from error
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop listening and close all connections; harmless if it is not listening."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            problem = payload_too_large()
            answer = Answer.json(problem.status, problem.document(), {})
            return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
        received = ReceivedRequest(
            method=request.method,
            path=request.path,
            query=request.rel_url.raw_query_string,
            headers={name.lower(): value for name, value in request.headers.items() if name.lower() != "authorization"},
            body=body,
            authorized="Authorization" in request.headers,
        )
        outcome = self._respond(received, request.headers.get("Authorization"))
        return await _deliver(request, outcome.answer, outcome.delivery)


async def _deliver(request: web.Request, answer: Answer, how: Delivery) -> web.StreamResponse:
    if how.delay:
        await asyncio.sleep(how.delay)
    if how.unanswered:
        _hang_up(request, reset=how.reset)
    whole = how.cut_after is None and how.announced is None and not how.closed_after
    if whole and how.chunk is None:
        return web.Response(status=answer.status, headers=answer.headers, body=answer.body)
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_length = len(answer.body) if how.announced is None else how.announced
    await response.prepare(request)
    await _write(response, answer.body if how.cut_after is None else answer.body[: how.cut_after], how)
    if how.announced is not None and request.transport is not None:
        # aiohttp sends no more than was announced.
        if how.pause:
            await asyncio.sleep(how.pause)
        request.transport.write(answer.body[how.announced :])
    if not whole:
        _hang_up(request, reset=how.reset)
    return response


async def _write(response: web.StreamResponse, body: bytes, how: Delivery) -> None:
    step = how.chunk or max(1, len(body))
    for start in range(0, len(body), step):
        if start:
            await asyncio.sleep(how.pause)
        await response.write(body[start : start + step])


def _hang_up(request: web.Request, *, reset: bool) -> None:
    # aiohttp then cannot write the rest of the response, and gives up.
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if reset and connection is not None:
        # A linger time of zero makes the system send a reset.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    request.transport.close()
