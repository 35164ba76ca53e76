"""A file is taken as far as its case says, and no further."""

from __future__ import annotations

import pytest
from bare_api import bare_api
from faults.leaks import nothing_left

from persona_cases import DecodeError, Timeout
from persona_cases.testing import Simulator
from persona_cases.transport.download import fetch_file


async def test_a_file_longer_than_the_case_says_is_not_taken_to_its_end():
    async with (
        nothing_left(),
        Simulator(cases=60) as sim,
        sim.client() as client,
        bare_api(sim.api_key, sim.base_url) as api,
    ):
        cases = await client.cases.list().collect()
        file = next(file for case in cases for file in case.attachments)
        session = api.transport.session
        pieces = []
        await fetch_file(session, file.url, pieces.append, limits=Timeout(), size=file.byte_size)
        assert len(b"".join(pieces)) == file.byte_size
        pieces.clear()
        with pytest.raises(DecodeError, match=f"longer than {file.byte_size - 1} bytes"):
            await fetch_file(session, file.url, pieces.append, limits=Timeout(), size=file.byte_size - 1)
        assert not pieces
