"""The options of the commands, in groups that several commands share."""

from __future__ import annotations

import enum
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final, Literal, TypeAlias

import attrs
from typer import Argument, Option

from persona_cases.export.formats.target import Compression, FileFormat

__all__ = [
    "DEFAULT_CASES",
    "CaseId",
    "Connection",
    "FileShape",
    "Filters",
    "Format",
    "IncludeOption",
    "LimitOption",
    "OnlyOption",
    "OutputFile",
    "OutputOption",
    "Paging",
    "ReportForm",
    "ReportOption",
    "Selection",
    "Server",
    "Shape",
    "Syncing",
    "Watching",
    "under",
]

DEFAULT_CASES: Final = 1000
"""How many cases `--simulator` makes up."""


def under(heading: str) -> Callable[..., Any]:
    """Return what makes options that the help shows under a heading."""
    return partial(Option, rich_help_panel=heading)


_which: Final = under("Which cases")
_fetch: Final = under("How to fetch")
_output: Final = under("Output")
_connect: Final = under("Connection")


class Format(enum.StrEnum):
    """The form in which cases and other documents are printed."""

    TABLE = "table"
    PRETTY = "pretty"
    JSON = "json"
    JSONL = "jsonl"


ReportForm: TypeAlias = Literal["text", "json"]
"""The form of an export's report."""

LimitOption: TypeAlias = Annotated[
    int | None, _which(min=0, metavar="N", help="Maximum number of cases. Default: no limit.")
]
OnlyOption: TypeAlias = Annotated[
    str | None, _output(metavar="NAME,…", help="Load only these attributes: status,fields.priority")
]
IncludeOption: TypeAlias = Annotated[
    str | None, _output(metavar="NAME,…", help="Load related objects as well: case-template,accounts")
]
OutputFile: TypeAlias = Annotated[
    str, _output("--output-file", "-o", metavar="PATH", help="File or URL to write; - for stdout.")
]
OutputOption: TypeAlias = Annotated[
    Format | None, _output(help="Default: pretty on a terminal, jsonl in a pipe (one line each).")
]
ReportOption: TypeAlias = Annotated[
    ReportForm, _output(help="Form of the report: text, or JSON on the last line of stderr.")
]
CaseId: TypeAlias = Annotated[str, Argument(metavar="ID", help="Id of the case.", show_default=False)]


@attrs.frozen(kw_only=True)
class Selection:
    """A query and its sort order."""

    where: Annotated[
        list[str] | None,
        _which(
            metavar="TEXT",
            help="Expression: \"status == 'open' and fields.priority != 'low'\". If repeated, all must hold.",
        ),
    ] = None
    query_json: Annotated[
        str | None,
        _which(metavar="JSON|@FILE|-", help="Query as the API's own JSON: inline, from a file, or from stdin."),
    ] = None
    sort: Annotated[
        str | None,
        _which(metavar="ATTRIBUTE:asc|desc", help="Sort order. Default: newest first; for export, oldest first."),
    ] = None


@attrs.frozen(kw_only=True)
class Syncing:
    """Which cases a mirror has, and how it is kept up to date."""

    where: Annotated[
        list[str] | None,
        _which(metavar="TEXT", help="Expression, the same each time. If repeated, all must hold. Default: all cases."),
    ] = None
    query_json: Annotated[
        str | None,
        _which(metavar="JSON|@FILE|-", help="Query as the API's own JSON: inline, from a file, or from stdin."),
    ] = None
    dirty: Annotated[
        list[str] | None, _which(metavar="ID", help="Case that is known to have changed; read without index lag.")
    ] = None
    overlap: Annotated[
        str, _fetch(metavar="TIME", help="How late a change may become visible to searches, such as 10m or 2h.")
    ] = "10m"
    reconcile: Annotated[
        bool, _fetch("--reconcile", help="Compare the mirror with the list: one request per 100 cases.")
    ] = False
    reconcile_full: Annotated[
        bool, _fetch("--reconcile-full", help="Read all cases again, for changes that moved no updated_at.")
    ] = False
    undecodable: Annotated[
        Literal["raise", "set_aside"],
        _fetch(
            help="For a case that cannot be decoded: raise ends the sync; set_aside puts it into the table rejected "
            "and exits with 8.",
        ),
    ] = "raise"
    every: Annotated[
        str | None, _fetch(metavar="TIME", help="Sync again after this time, such as 5m, until SIGTERM or Ctrl-C.")
    ] = None
    history: Annotated[
        bool, _output("--history", help="Keep a row for each change, in the table history. The same each time.")
    ] = False


@attrs.frozen(kw_only=True)
class Filters:
    """The filters of a list."""

    status: Annotated[
        str | None, _which(metavar="STATUS", help="Only cases in this status, spelled as in the template.")
    ] = None
    case_template_id: Annotated[str | None, _which(metavar="ID", help="Only cases made from this template.")] = None
    account_id: Annotated[str | None, _which(metavar="ID", help="Only cases about this account.")] = None
    reference_id: Annotated[
        str | None, _which(metavar="ID", help="Only cases about the account with this reference id.")
    ] = None
    inquiry_id: Annotated[str | None, _which(metavar="ID", help="Only cases about this inquiry.")] = None
    report_id: Annotated[str | None, _which(metavar="ID", help="Only cases about this report.")] = None


@attrs.frozen(kw_only=True)
class Paging:
    """Where a search or a list starts, how far it goes, and in what steps."""

    limit: LimitOption = None
    page_size: Annotated[int, _fetch(min=1, max=100, metavar="N", help="Cases per request.")] = 100
    after: Annotated[str | None, _fetch(metavar="CURSOR", help="Start after this cursor, which is a case id.")] = None
    before: Annotated[str | None, _fetch(metavar="CURSOR", help="Page backward from this cursor.")] = None
    explain: Annotated[bool, _fetch("--explain", help="Print the requests, and send nothing.")] = False


@attrs.frozen(kw_only=True)
class Shape:
    """What is printed of cases, and in which form."""

    only: OnlyOption = None
    output: Annotated[
        Format | None, _output(help="Default: table on a terminal (get: pretty), jsonl in a pipe (as sent).")
    ] = None


@attrs.frozen(kw_only=True)
class FileShape:
    """What a file holds of cases, and how it is written."""

    only: OnlyOption = None
    format: Annotated[FileFormat | None, _output(help="Default: from the file extension; jsonl for stdout.")] = None
    compression: Annotated[
        Compression | None, _output(help="Default: from the file extension; zstd inside parquet.")
    ] = None
    columns_from: Annotated[
        str | None, _output(metavar="ID", help="Template whose custom fields become typed columns.")
    ] = None
    column_style: Annotated[
        Literal["dotted", "snake"] | None,
        _output(help="Names of columns: fields.risk-score, or fields_risk_score. Default: dotted."),
    ] = None
    raw: Annotated[bool, _output("--raw", help="Add a column raw to a table: each case as the API sent it.")] = False
    attachments: Annotated[str | None, _output(metavar="DIR", help="Download attached files to DIR/<case id>/.")] = None
    fail_on_missing: Annotated[
        bool, _output("--fail-on-missing", help="Exit with 4 if an attached file cannot be found.")
    ] = False
    consistency: Annotated[
        Literal["search", "fresh"],
        _fetch(help="search is stale by about a minute; fresh is not, but takes more requests."),
    ] = "search"
    restart: Annotated[bool, _fetch("--restart", help="Discard an unfinished export and start over.")] = False
    resume_max_age: Annotated[
        str | None,
        _fetch(metavar="6h|90m|7200", help="Maximum age of an unfinished export to resume. Default: 6h."),
    ] = None
    undecodable: Annotated[
        Literal["raise", "set_aside"],
        _fetch(
            help="For a case that cannot be decoded: raise ends the export; set_aside writes it to "
            "<name>.rejected.jsonl and exits with 8.",
        ),
    ] = "raise"
    overwrite: Annotated[bool, _output("--overwrite", help="Replace a database that is not an earlier export.")] = False
    manifest: Annotated[
        bool, _output("--manifest", help="Also write <name>.manifest.json, which says how the file was made.")
    ] = False


@attrs.frozen(kw_only=True)
class Watching:
    """Which new cases to wait for, and how often to ask."""

    since: Annotated[
        str | None, _which(metavar="ID", help="Start with cases newer than this one. Default: from now on.")
    ] = None
    template: Annotated[str | None, _which(metavar="ID", help="Only cases made from this template.")] = None
    status: Annotated[str | None, _which(metavar="STATUS", help="Only cases in this status when they are seen.")] = None
    limit: Annotated[int | None, _which(min=1, metavar="N", help="Maximum number of cases. Default: no limit.")] = None
    interval: Annotated[float, _fetch(metavar="SECONDS", help="Time between requests while cases keep coming.")] = 2.0
    max_interval: Annotated[
        float,
        _fetch(metavar="SECONDS", help="Maximum time between requests; the time doubles while nothing is new."),
    ] = 60.0


@attrs.frozen(kw_only=True)
class Connection:
    """How to reach the API, and how long to wait for it."""

    simulator: Annotated[
        bool, _connect("--simulator", help="Use a simulator inside this command; no account is needed.")
    ] = False
    cases: Annotated[
        int | None, _connect(min=0, metavar="N", help=f"Cases in the simulator. Default: {DEFAULT_CASES}.")
    ] = None
    seed: Annotated[int | None, _connect(metavar="N", help="The same seed makes the same cases. Default: 0.")] = None
    base_url: Annotated[
        str | None, _connect(metavar="URL", help="Address of the API. Default: PERSONA_BASE_URL, or the vendor's.")
    ] = None
    allow_http: Annotated[
        bool, _connect("--allow-http", help="Allow a base URL of plain http, as PERSONA_ALLOW_HTTP=1 does.")
    ] = False
    proxy: Annotated[
        str | None, _connect(metavar="URL", help="Proxy. Default: HTTPS_PROXY, which is safer for a password.")
    ] = None
    ca_file: Annotated[
        str | None,
        _connect(metavar="PATH", help="PEM file of trusted authorities. Default: PERSONA_CA_FILE, or the system's."),
    ] = None
    persona_version: Annotated[str | None, _connect(metavar="DATE", help="Persona-Version to send.")] = None
    timeout: Annotated[float | None, _connect(metavar="SECONDS", help="Maximum time for one request.")] = None
    max_wait: Annotated[
        float | None, _connect(metavar="SECONDS", help="Maximum wait for the rate limit. Default: no limit.")
    ] = None
    verbose: Annotated[
        bool,
        _connect(
            "--verbose",
            "-v",
            help="Show logs, and in a pipe the API's details of errors, which may quote personal data.",
        ),
    ] = False


@attrs.frozen(kw_only=True)
class Server:
    """The settings of a simulator, by the names of its arguments."""

    host: Annotated[str, Option(help="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Option(min=0, max=65535, help="Port to listen on; 0 uses a free one.")] = 8080
    cases: Annotated[int, Option(min=0, help="Number of cases.")] = 10_000
    seed: Annotated[int, Option(help="The same seed makes the same cases.")] = 0
    api_key: Annotated[str, Option(help="API key that requests must send; any word will do.")] = (
        "persona_sandbox_simulator"
    )
    rate_limit: Annotated[str, Option(metavar="REQUESTS/SECONDS|off", help="Rate limit.")] = "300/60"
    latency: Annotated[float, Option(min=0, help="Seconds added to each response.")] = 0.0
    index_lag: Annotated[float, Option(min=0, help="Seconds until searches see a change.")] = 0.0
    case_quota: Annotated[
        str, Option(metavar="CASES/SECONDS|off", help="Quota on creations: 100/3600 allows 100 cases per hour.")
    ] = "off"
    tag_cap: Annotated[int, Option(min=0, help="Maximum number of tags.")] = 1000
    file_token_lifetime: Annotated[
        float, Option(metavar="SECONDS", help="How long the URL of an attached file stays valid.")
    ] = 21_600.0
