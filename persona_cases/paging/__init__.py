"""Paging: a `Pager` gives the first page, all pages or all items, of one search or of several merged ones.

Each name is imported on first use, because an export of raw cases needs few of them.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.paging.chain import PageChain
    from persona_cases.paging.cursor import BEGINNING, NEWEST, is_beginning
    from persona_cases.paging.merge import Merge, MergedWalk
    from persona_cases.paging.page import Fetch, Identified, Page, WalkOptions
    from persona_cases.paging.pager import Pager
    from persona_cases.paging.position import LARGEST_PAGE, Linked, Position, check_page
    from persona_cases.paging.rank import SortValue
    from persona_cases.paging.walk import ItemWalk, PageWalk, Walk

__all__ = [
    "BEGINNING",
    "LARGEST_PAGE",
    "NEWEST",
    "Fetch",
    "Identified",
    "ItemWalk",
    "Linked",
    "Merge",
    "MergedWalk",
    "Page",
    "PageChain",
    "PageWalk",
    "Pager",
    "Position",
    "SortValue",
    "Walk",
    "WalkOptions",
    "check_page",
    "is_beginning",
]

_HOMES = {
    "persona_cases.paging.chain": ("PageChain",),
    "persona_cases.paging.cursor": ("BEGINNING", "NEWEST", "is_beginning"),
    "persona_cases.paging.merge": ("Merge", "MergedWalk"),
    "persona_cases.paging.page": ("Fetch", "Identified", "Page", "WalkOptions"),
    "persona_cases.paging.pager": ("Pager",),
    "persona_cases.paging.position": ("LARGEST_PAGE", "Linked", "Position", "check_page"),
    "persona_cases.paging.rank": ("SortValue",),
    "persona_cases.paging.walk": ("ItemWalk", "PageWalk", "Walk"),
}

if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES)
