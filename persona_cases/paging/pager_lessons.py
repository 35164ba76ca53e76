"""Hints for code that uses a pager or a page like those of another library."""

from __future__ import annotations

from persona_cases.teaching import Lessons

__all__ = ["PAGE", "PAGER", "WALK"]

_FIRST_PAGE = "a pager has sent nothing yet: write page = await pager"

PAGER = Lessons(
    names={
        "to_list list all fetch_all get_all fetchall tolist": "write await pager.collect()",
        "count total len size total_count": "the API does not count: write len(await pager.collect())",
        "iter_pages by_page paginate auto_paging_iter page iterate_pages": "write async for page in pager.pages()",
        "iter stream each": "write async for case in pager",
        "items results data cases objects": f"{_FIRST_PAGE}; page.items has its cases",
        "has_next has_more has_next_page": f"{_FIRST_PAGE}; page.has_next",
        "cursor next_cursor": f"{_FIRST_PAGE}; page.next_cursor",
        "next next_page get_next_page": "write async for page in pager.pages()",
        "take head top max islice": "write pager.limit(n)",
        "skip offset seek after start_after": "write pager.resume(cursor)",
        "get single scalar": "write await pager.one(), or await pager.first()",
        "last": "sort the other way: search(sort=...), then await pager.first()",
        "filter where": "filter in the search: persona.cases.search(where)",
        "sort order_by": "sort in the search: persona.cases.search(sort=...)",
        "page_size per_page": "write search(page_size=...)",
        "to_dataframe to_pandas to_df": "write (await pager.to_arrow()).to_pandas()",
        "to_polars": "write polars.from_arrow(await pager.to_arrow())",
        "to_table to_pyarrow arrow": "write await pager.to_arrow()",
        "to_csv to_parquet": 'write persona.cases.export(where, to="cases.csv")',
    },
    arguments={
        "resume.after": "write cursor=",
        "limit.n limit.count limit.limit": "write total=",
        "limit": "write pager.limit(n), which returns another pager",
    },
    calls={"collect first one pages": "takes no argument: bound a pager with .limit(n)"},
    uses={
        "__getitem__": (
            "is asynchronous: write async for case in pager, await pager.collect() for a list, or await pager.first()"
        )
    },
)

PAGE = Lessons(
    names={
        "cursor end_cursor": "write next_cursor",
        "data results cases objects": "write items, or iterate over the page",
        "next next_page get_next_page": "write async for page in pager.pages(), or pager.resume(page.next_cursor)",
        "has_more has_next_page": "write has_next",
        "collect to_list all": "write list(page) for this page, await pager.collect() for all",
        "pages iter_pages": "write async for page in pager.pages()",
        "total total_count": "the API does not count; len(page) is the length of the page",
        "first": "write page[0]",
    },
    uses={"__aiter__": "is here as a whole: write for case in page, without async"},
)

WALK = Lessons(
    names={"collect first to_list all": "that is for the pager: write await pager.collect()"},
    uses={"__getitem__": "is asynchronous: write async for page in pager.pages()"},
)
