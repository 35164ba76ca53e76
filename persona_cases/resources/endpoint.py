"""The base of every resource: send a request with the options of its client, and decode the response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeVar

import attrs
import msgspec
from msgspec.structs import replace

from persona_cases.errors import Answered, DecodeError
from persona_cases.protocol.addresses.urls import BaseURL
from persona_cases.protocol.call_options import Options, RequestCount
from persona_cases.protocol.foreign_answers import is_web_page, why_not_json
from persona_cases.protocol.message import Request, Response
from persona_cases.transport.calls_under_way import Call, Lifetime
from persona_cases.transport.limits.limiter import LimiterState
from persona_cases.transport.pipeline import Transport

D = TypeVar("D")


class Api(msgspec.Struct, frozen=True):
    """The API as one client sees it.

    Attributes:
        transport: shared by a client and its copies.
        base: the base URL of requests.
        options: the settings of this client.
        lifetime: whether this client is open.
    """

    transport: Transport
    base: BaseURL
    options: Options
    lifetime: Lifetime = msgspec.field(default_factory=Lifetime)

    @property
    def limiter_state(self) -> LimiterState:
        """The current state of the rate limit."""
        return self.transport.limiter.state

    def counted_by(self, count: RequestCount) -> Api:
        """Return a copy that also counts the requests of calls made through it."""
        return replace(self, options=attrs.evolve(self.options, counts=(*self.options.counts, count)))

    def call(self, request: Request, *, host: Literal["api", "files"] = "api") -> Call:
        """Create a call, which begins when its `with` block is entered."""
        return Call(request, self.options, self.lifetime, self.transport.timing, host)

    async def send(self, request: Request) -> Response:
        """Send a request, with as many attempts as the retry policy allows."""
        with self.call(request) as call:
            return await self.transport.run(call)
        raise call.broken_off()

    async def load(self, request: Request, decode: Callable[[bytes], D]) -> D:
        """Send a request and decode the response.

        Raises:
            DecodeError: if the response to a read does not match the API's contract; it carries the request id.
            IndeterminateError: if that happens with a write, which may or may not have been carried out.
        """
        with self.call(request) as call:
            return _decoded(call, await self.transport.run(call), decode)
        raise call.broken_off()

    async def load_answer(self, request: Request, decode: Callable[[bytes], D]) -> tuple[D, Response]:
        """Do the same as `load`, but return the response too, for its headers."""
        with self.call(request) as call:
            response = await self.transport.run(call)
            return _decoded(call, response, decode), response
        raise call.broken_off()

    async def fetch(self, request: Request, decode: Callable[[bytes], D]) -> tuple[D, Answered]:
        """Do the same as `load`, but also return the call, for errors that are found later."""
        with self.call(request) as call:
            response = await self.transport.run(call)
            return _decoded(call, response, decode), call.answered(response.request_id)
        raise call.broken_off()


def _decoded(call: Call, response: Response, decode: Callable[[bytes], D]) -> D:
    try:
        return decode(response.body)
    except DecodeError as error:
        # The frames below hold the response.
        failure = error.with_traceback(None)
    if is_web_page(response.headers, response.body):
        failure = DecodeError(why_not_json(response.headers, response.body))
    failure.request_id = response.request_id
    final = call.unreadable(failure)
    raise final from final.__cause__
