"""When a walk over items asks for the next page."""

from __future__ import annotations

from persona_cases.paging import ItemWalk, Page


class Pages:
    """A walk over pages that notes what is asked of it."""

    def __init__(self, *pages):
        self._pages = iter(pages)
        self.asked = []

    async def __anext__(self):
        self.asked.append("next")
        try:
            return Page(items=next(self._pages), next_cursor=None)
        except StopIteration:
            raise StopAsyncIteration from None

    def look_ahead(self):
        self.asked.append("ahead")


async def test_the_next_page_is_asked_for_once_the_second_item_is():
    pages = Pages(("a", "b", "c"), (), ("d",))
    walk = ItemWalk(pages)
    seen = []
    async for item in walk:
        seen.append((item, pages.asked))
        pages.asked = []
    assert seen == [("a", ["next"]), ("b", ["ahead"]), ("c", []), ("d", ["next", "next"])]
    assert pages.asked == ["ahead", "next"]
