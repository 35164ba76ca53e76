"""The options of `simulator`."""

from __future__ import annotations

from typing import Annotated

import attrs
from typer import Option

__all__ = ["Server"]


@attrs.frozen(kw_only=True)
class Server:
    """The settings of a simulator, by the names of its arguments."""

    host: Annotated[str, Option(help="The address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Option(min=0, max=65535, help="The port to listen on; 0 takes a free one.")] = 8080
    cases: Annotated[int, Option(min=0, help="Cases to make up.")] = 10_000
    seed: Annotated[int, Option(help="The same seed makes up the same cases.")] = 0
    api_key: Annotated[str, Option(help="The key that requests must carry; any word will do.")] = (
        "persona_sandbox_simulator"
    )
    rate_limit: Annotated[str, Option(metavar="REQUESTS/SECONDS|off", help="Rate limit.")] = "300/60"
    latency: Annotated[float, Option(min=0, help="Seconds added to each response.")] = 0.0
    index_lag: Annotated[float, Option(min=0, help="Seconds until searches see a change.")] = 0.0
    case_quota: Annotated[
        str,
        Option(metavar="CASES/SECONDS|off", help="Quota on creations: 100/3600 allows 100 cases per hour."),
    ] = "off"
    tag_cap: Annotated[int, Option(min=0, help="Maximum number of tags.")] = 1000
    file_token_lifetime: Annotated[
        float, Option(metavar="SECONDS", help="How long the URL of an attached file stays valid.")
    ] = 21_600.0
