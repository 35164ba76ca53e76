"""Every fault, happening to every kind of request."""

from __future__ import annotations

import copy
import pickle
import re
from pathlib import Path

import pytest

from faults.leaks import works
from faults.table import OPERATIONS, ROWS, repeats_table, table
from persona_cases import DecodeError, PersonaError

PAGES = Path(__file__).parents[2] / "docs"


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
        assert error.attempts == requests
        assert error.method == {"get": "GET", "search": "POST"}.get(operation, operation.upper())
        assert error.path_template in {"/cases", "/cases/{id}", "/cases/search"}
        assert error.elapsed is not None
        assert scene.case_id not in str(error)
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


@pytest.mark.parametrize(
    ("page", "shown"), [("faults.md", table()), ("faults.md", repeats_table()), ("client.md", repeats_table())]
)
def test_the_pages_show_these_tables(page, shown):
    assert "\n".join(shown) in (PAGES / page).read_text(encoding="utf-8")
