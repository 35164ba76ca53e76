"""What every resource needs: sending a request under the options of its client, and decoding the answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import attrs

from persona_cases.errors import Answered, DecodeError
from persona_cases.protocol.addresses.urls import BaseURL
from persona_cases.protocol.call_options import Options
from persona_cases.protocol.foreign_answers import is_web_page, why_not_json
from persona_cases.protocol.message import Request, Response
from persona_cases.protocol.retry import Attempts
from persona_cases.transport.calls_under_way import Call, Lifetime
from persona_cases.transport.pipeline import Transport

D = TypeVar("D")


@attrs.frozen
class Api:
    """The API as one client sees it.

    Attributes:
        transport: shared by a client and its copies.
        base: where requests go.
        options: the settings of this client.
        lifetime: how long this client lasts.
    """

    transport: Transport
    base: BaseURL
    options: Options
    lifetime: Lifetime = attrs.field(factory=Lifetime)

    def call(self, request: Request) -> Call:
        """Begin a call."""
        return Call(Attempts(request, self.options.retry), self.lifetime, self.transport.loop)

    async def send(self, request: Request) -> Response:
        """Send a request, as often as the retry policy allows."""
        return await self.transport.run(self.call(request), self.options)

    async def fetch(self, request: Request, decode: Callable[[bytes], D]) -> tuple[D, Answered]:
        """Send a request and decode the answer; tell which call it was, for errors that are found later.

        Raises:
            DecodeError: if the answer to a read is not what the contract says; it carries the request id.
            IndeterminateError: if it is the answer to a write, which may or may not have been carried out then.
        """
        call = self.call(request)
        response = await self.transport.run(call, self.options)
        try:
            return decode(response.body), call.answered(response.request_id)
        except DecodeError as error:
            # The frames below hold the answer.
            failure = error.with_traceback(None)
        if is_web_page(response.headers, response.body):
            failure = DecodeError(why_not_json(response.headers, response.body))
        failure.request_id = response.request_id
        call.attempts.record(failure)
        call.describe(failure)
        final = call.attempts.final_error(failure)
        call.describe(final)
        raise final from final.__cause__
