"""Walks over raw pages of servers that never come to an end."""

from __future__ import annotations

import attrs
import pytest

from persona_cases import Request
from persona_cases.errors import PaginationError
from persona_cases.models.decoding.raw_page import RawPage
from persona_cases.models.decoding.records import Links
from persona_cases.paging.walk_progress import MOST_REPEATED_PAGES
from persona_cases.resources.reading.raw_walks import raw_walk


@attrs.define
class Treadmill:
    """An API that sends some pages again and again, each time under a cursor that is new."""

    pages: list[list[bytes]]
    base = "https://api.example/api/v1"
    requests: int = 0

    async def fetch(self, _request, _decode):
        page = self.pages[self.requests % len(self.pages)]
        self.requests += 1
        return (RawPage(page), Links(next=f"/api/v1/cases?page[after]=c{self.requests}")), None


def line(number):
    return b'{"type":"case","id":"case_%d","attributes":{"created_at":"2026-01-01T00:00:00.000Z"}}' % number


@pytest.mark.parametrize("cycle", [1, 2, 5])
async def test_pages_that_come_again_under_new_cursors_end_a_walk_soon(cycle):
    api = Treadmill([[line(10 * number), line(10 * number + 1)] for number in range(cycle)])
    with pytest.raises(PaginationError, match="the same cases under new cursors"):
        async for _ in raw_walk(api, Request("GET", "/cases"), None, None):
            pass
    assert api.requests < 8 * cycle * MOST_REPEATED_PAGES


async def test_pages_that_are_all_new_do_not():
    api = Treadmill([[line(number)] for number in range(400)])
    walk = raw_walk(api, Request("GET", "/cases"), None, None)
    assert len({(await anext(walk)).id(0) for _ in range(400)}) == 400
    await walk.aclose()


async def test_a_page_whose_first_case_has_no_id_does_not_end_a_walk():
    api = Treadmill([[b"{}", line(number)] for number in range(3)])
    walk = raw_walk(api, Request("GET", "/cases"), None, None)
    assert [bytes((await anext(walk)).lines[0]) for _ in range(3)] == [b"{}"] * 3
    await walk.aclose()
