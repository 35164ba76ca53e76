"""Every fault, happening to every kind of request."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import pytest

from faults.leaks import works
from faults.table import OPERATIONS, ROWS, table
from persona_cases import APIError, DecodeError, PersonaError, TransportError

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.title)
async def test_a_fault_is_one_error_of_ours_and_leaves_nothing(row, operation):
    expected, requests = row.ending.outcome(operation)
    async with row.setting() as scene:
        with pytest.raises(PersonaError) as caught:
            await OPERATIONS[operation](scene)
        error = caught.value
        assert type(error) is expected
        if row.counted:
            assert scene.requests() == requests
        if isinstance(error, (APIError, TransportError)):
            assert error.attempts == requests
        if operation in {"get", "search"}:
            assert re.search(row.said, str(error))
        assert repr(pickle.loads(pickle.dumps(error))) == repr(copy.deepcopy(error)) == repr(error)
        del error, caught
        await scene.heal()
        await works(scene.client)


@pytest.mark.parametrize("operation", ["get", "search"])
@pytest.mark.parametrize("row", [row for row in ROWS if row.once], ids=lambda row: row.title)
async def test_a_read_survives_what_passes(row, operation):
    passes = row.ending.outcome(operation)[1] > 1
    async with row.once() as scene:
        if passes:
            await OPERATIONS[operation](scene)
        else:
            with pytest.raises(PersonaError):
                await OPERATIONS[operation](scene)
        assert scene.requests() == (2 if passes else 1)
        await works(scene.client)


@pytest.mark.parametrize("row", [row for row in ROWS if row.ending.name == "NONSENSE"], ids=lambda row: row.title)
async def test_an_answer_that_makes_no_sense_is_named_and_not_quoted(row):
    async with row.setting() as scene:
        with pytest.raises(DecodeError) as caught:
            await OPERATIONS["get"](scene)
        # A proxy's answer has no id.
        assert caught.value.request_id or "HTML" in row.title
        assert "<" not in str(caught.value)
        del caught


def test_the_page_shows_this_table():
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    assert lines[: len(table())] == table()
