"""Export everything to a file, to be killed: `python collecting.py BASE_URL API_KEY OUTPUT FETCHERS`."""

from __future__ import annotations

import asyncio
import sys

from bare_api import bare_api
from spooling import fetchers_of, put_together

from persona_cases.export.ranges.collector import collect
from persona_cases.export.spool.checkpoint import Description
from persona_cases.export.spool.spool import Spool
from persona_cases.resources.exporting.search_source import SearchSource


async def main(base_url, api_key, output, fetchers):
    async with bare_api(api_key, base_url) as api:
        with Spool(output, Description({"where": None}, "1.0")) as spool:
            source = SearchSource(api=api, max_searches=1)
            await collect(source, spool, fetchers=fetchers_of(int(fetchers)))
            put_together(spool)
            spool.remove()


asyncio.run(main(*sys.argv[1:]))
