"""`LoneCases`: gets cases by their ids, and keeps the JSON of those that cannot be decoded."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import attrs

from persona_cases.errors import DecodeError
from persona_cases.models import Case
from persona_cases.models.decoding.decode import decode_case
from persona_cases.models.decoding.sound_page import line_of
from persona_cases.models.decoding.undecodable import UndecodableCase, blame
from persona_cases.protocol.message import Request
from persona_cases.resources.endpoint import Api
from persona_cases.resources.reading import DEFAULT_CONCURRENCY, get_many
from persona_cases.resources.requests import query_parameters as parameters

__all__ = ["FoundCases", "LoneCases"]


@attrs.frozen
class FoundCases:
    """The outcome of a request for some ids.

    Attributes:
        cases: the cases that were found.
        missing: the ids that were not found.
        undecodable: the cases that cannot be decoded, by id.
    """

    cases: tuple[Case, ...] = attrs.field(repr=False)
    missing: tuple[str, ...]
    undecodable: dict[str, UndecodableCase]


@attrs.frozen
class LoneCases:
    """Gets cases by their ids.

    Attributes:
        api: how to reach the API.
        sets_aside: whether undecodable cases are returned instead of raising an error.
    """

    api: Api
    sets_aside: bool

    async def get(self, ids: Iterable[str]) -> FoundCases:
        """Get cases, several at a time.

        Raises:
            PersonaError: if a case cannot be read.
        """
        lines = dict[str, bytes]()

        async def get_one(id: str) -> Case:
            query = parameters.include(None, self.api.options.version)
            request = Request("GET", parameters.case_path(id), query=query)
            return await self.api.load(request, partial(_decode, id, lines))

        several = await get_many(get_one, ids, DEFAULT_CONCURRENCY)
        undecodable = dict[str, UndecodableCase]()
        for id, error in several.failed.items():
            if not (self.sets_aside and id in lines and isinstance(error, DecodeError)):
                raise error
            undecodable[id] = UndecodableCase(lines[id], error)
        return FoundCases(several.cases, several.missing, undecodable)


def _decode(id: str, lines: dict[str, bytes], body: bytes) -> Case:
    try:
        return decode_case(body)
    except DecodeError as error:
        failure = error.with_traceback(None)
    line = line_of(body, id)
    if line is not None:
        lines[id] = line
        failure = blame(failure, line, "/data")
    raise failure
