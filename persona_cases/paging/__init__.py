"""Paging: a `Pager` gives the first page, all pages or all items, of one search or of several merged ones."""

from persona_cases.paging.chain import PageChain
from persona_cases.paging.cursor import BEGINNING, NEWEST, is_beginning
from persona_cases.paging.merge import Merge, MergedWalk
from persona_cases.paging.page import LARGEST_PAGE, Fetch, Identified, Linked, Page, Position, WalkOptions, check_page
from persona_cases.paging.pager import Pager
from persona_cases.paging.rank import SortValue
from persona_cases.paging.walk import ItemWalk, PageWalk, Walk
from persona_cases.surface import publish

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


publish("persona_cases", Page, Pager)
