"""The options of the commands, in groups that several commands share."""

from __future__ import annotations

import enum
from typing import Annotated, Final, TypeAlias

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
    "LimitOption",
    "OnlyOption",
    "OutputOption",
    "ReportForm",
    "ReportOption",
    "Selection",
    "Server",
    "Shape",
    "Walk",
    "Watching",
]

DEFAULT_CASES: Final = 1000
"""How many cases `--simulator` makes up."""

_WHAT = "What to find"
_HOW = "How to fetch"
_OUT = "What to print"
_WHERE = "Where to ask"


class Format(enum.StrEnum):
    """How cases, and what belongs to them, are printed."""

    TABLE = "table"
    PRETTY = "pretty"
    JSON = "json"
    JSONL = "jsonl"


class UndecodableChoice(enum.StrEnum):
    """What to do with a case that cannot be decoded."""

    RAISE = "raise"
    SET_ASIDE = "set_aside"


class ConsistencyChoice(enum.StrEnum):
    """What an export sees."""

    SEARCH = "search"
    FRESH = "fresh"


class ReportForm(enum.StrEnum):
    """How the report of an export is written."""

    TEXT = "text"
    JSON = "json"


LimitOption: TypeAlias = Annotated[
    int | None, Option(min=0, metavar="N", help="Maximum number of cases. Default: no limit.", rich_help_panel=_WHAT)
]
OnlyOption: TypeAlias = Annotated[
    str | None,
    Option(metavar="NAME,…", help="Load only these attributes: status,fields.priority", rich_help_panel=_OUT),
]
OutputOption: TypeAlias = Annotated[
    Format | None,
    Option(
        help="Default: pretty on a terminal, jsonl in a pipe (one line each).",
        rich_help_panel=_OUT,
    ),
]
ReportOption: TypeAlias = Annotated[
    ReportForm,
    Option(help="Form of the final report: words, or JSON on the last line.", rich_help_panel=_OUT),
]
CaseId: TypeAlias = Annotated[str, Argument(metavar="ID", help="The id of the case.", show_default=False)]


@attrs.frozen(kw_only=True)
class Selection:
    """Which cases a search looks for, and in what order."""

    where: Annotated[
        list[str] | None,
        Option(
            metavar="TEXT",
            help="What to look for: \"status == 'open' and fields.priority != 'low'\". If given again, all must hold.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    query_json: Annotated[
        str | None,
        Option(
            metavar="JSON|@FILE|-",
            help="The query as the API's own JSON: inline, from a file, or from stdin.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    sort: Annotated[
        str | None,
        Option(
            metavar="ATTRIBUTE:asc|desc",
            help="Sort order. Default: newest first; for export, oldest first.",
            rich_help_panel=_WHAT,
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Filters:
    """What a list can be narrowed to."""

    status: Annotated[
        str | None, Option(help="Only cases in this status, spelled as in the template.", rich_help_panel=_WHAT)
    ] = None
    case_template_id: Annotated[
        str | None, Option(metavar="ID", help="Only cases made from this template.", rich_help_panel=_WHAT)
    ] = None
    account_id: Annotated[
        str | None, Option(metavar="ID", help="Only cases about this account.", rich_help_panel=_WHAT)
    ] = None
    reference_id: Annotated[
        str | None,
        Option(metavar="ID", help="Only cases about the account with this reference id.", rich_help_panel=_WHAT),
    ] = None
    inquiry_id: Annotated[
        str | None, Option(metavar="ID", help="Only cases about this inquiry.", rich_help_panel=_WHAT)
    ] = None
    report_id: Annotated[
        str | None, Option(metavar="ID", help="Only cases about this report.", rich_help_panel=_WHAT)
    ] = None


@attrs.frozen(kw_only=True)
class Walk:
    """How far a walk over pages goes, where it starts, and in what steps."""

    limit: LimitOption = None
    page_size: Annotated[int, Option(min=1, max=100, metavar="N", help="Cases per request.", rich_help_panel=_HOW)] = (
        100
    )
    after: Annotated[
        str | None, Option(metavar="CURSOR", help="Start after this cursor, which is a case id.", rich_help_panel=_HOW)
    ] = None
    before: Annotated[
        str | None, Option(metavar="CURSOR", help="Page backward from this cursor.", rich_help_panel=_HOW)
    ] = None
    explain: Annotated[
        bool, Option("--explain", help="Print what would be sent, and send nothing.", rich_help_panel=_HOW)
    ] = False


@attrs.frozen(kw_only=True)
class Shape:
    """What is printed of the cases, and how."""

    only: OnlyOption = None
    output: Annotated[
        Format | None,
        Option(
            help="Default: jsonl in a pipe, one case per line as sent; on a terminal a table, or pretty for get.",
            rich_help_panel=_OUT,
        ),
    ] = None


@attrs.frozen(kw_only=True)
class FileShape:
    """What a file holds of the cases, and how it is written."""

    only: OnlyOption = None
    format: Annotated[
        FileFormat | None, Option(help="Default: from the file extension; jsonl for stdout.", rich_help_panel=_OUT)
    ] = None
    compression: Annotated[
        Compression | None,
        Option(help="Default: from the file extension, .gz or .zst; parquet uses zstd inside.", rich_help_panel=_OUT),
    ] = None
    columns_from: Annotated[
        str | None,
        Option(metavar="ID", help="A case template whose fields become columns of its types.", rich_help_panel=_OUT),
    ] = None
    attachments: Annotated[
        str | None,
        Option(metavar="DIR", help="Download the attached files to DIR/<case id>/.", rich_help_panel=_OUT),
    ] = None
    fail_on_missing: Annotated[
        bool,
        Option("--fail-on-missing", help="Exit with 4 if an attached file could not be found.", rich_help_panel=_OUT),
    ] = False
    consistency: Annotated[
        ConsistencyChoice,
        Option(
            help="search is stale by about a minute; fresh lists the cases instead, with more requests.",
            rich_help_panel=_HOW,
        ),
    ] = ConsistencyChoice.SEARCH
    restart: Annotated[
        bool, Option("--restart", help="Discard an unfinished export and start over.", rich_help_panel=_HOW)
    ] = False
    resume_max_age: Annotated[
        str | None,
        Option(
            metavar="6h|90m|7200",
            help="How old an unfinished export may be to be resumed. Default: 6h.",
            rich_help_panel=_HOW,
        ),
    ] = None
    undecodable: Annotated[
        UndecodableChoice,
        Option(
            help="raise: a case that cannot be decoded ends the export. set_aside: it is written to "
            "<name>.rejected.jsonl, and the exit code is 8.",
            rich_help_panel=_HOW,
        ),
    ] = UndecodableChoice.RAISE
    overwrite: Annotated[
        bool,
        Option("--overwrite", help="Replace a database that is not an earlier export.", rich_help_panel=_OUT),
    ] = False
    manifest: Annotated[
        bool,
        Option("--manifest", help="Also write <name>.manifest.json: what made the file.", rich_help_panel=_OUT),
    ] = False


@attrs.frozen(kw_only=True)
class Watching:
    """Which new cases to wait for, and how impatiently."""

    since: Annotated[
        str | None,
        Option(
            metavar="ID",
            help="Start with cases newer than this one. Default: cases that appear from now on.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    template: Annotated[
        str | None, Option(metavar="ID", help="Only cases made from this template.", rich_help_panel=_WHAT)
    ] = None
    status: Annotated[
        str | None, Option(help="Only cases in this status when they are seen.", rich_help_panel=_WHAT)
    ] = None
    limit: Annotated[
        int | None,
        Option(min=1, metavar="N", help="Stop after this many cases. Default: never.", rich_help_panel=_WHAT),
    ] = None
    interval: Annotated[
        float,
        Option(metavar="SECONDS", help="Time between two requests while cases keep coming.", rich_help_panel=_HOW),
    ] = 2.0
    max_interval: Annotated[
        float,
        Option(
            metavar="SECONDS",
            help="Longest time between two requests; the time doubles whenever nothing is new.",
            rich_help_panel=_HOW,
        ),
    ] = 60.0


@attrs.frozen(kw_only=True)
class Connection:
    """Whom to ask, and how patiently."""

    simulator: Annotated[
        bool,
        Option(
            "--simulator", help="Use a simulator inside this command; no account is needed.", rich_help_panel=_WHERE
        ),
    ] = False
    cases: Annotated[
        int | None,
        Option(
            min=0,
            metavar="N",
            help=f"Cases that the simulator makes up; {DEFAULT_CASES} by default.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    seed: Annotated[
        int | None,
        Option(metavar="N", help="The same seed makes up the same cases; 0 by default.", rich_help_panel=_WHERE),
    ] = None
    base_url: Annotated[
        str | None,
        Option(
            metavar="URL",
            help="Address of the API. Default: PERSONA_BASE_URL, or the vendor's.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    allow_http: Annotated[
        bool,
        Option(
            "--allow-http",
            help="Allow a base URL of plain http, such as a simulator's in a container, as PERSONA_ALLOW_HTTP=1 does.",
            rich_help_panel=_WHERE,
        ),
    ] = False
    proxy: Annotated[
        str | None,
        Option(
            metavar="URL",
            help="The proxy to use, if not that of HTTPS_PROXY. A password is safer in that variable.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    ca_file: Annotated[
        str | None,
        Option(
            metavar="PATH",
            help="Trust the authorities in this PEM file, if not those of PERSONA_CA_FILE or of the system.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    persona_version: Annotated[
        str | None, Option(metavar="DATE", help="The Persona-Version to send.", rich_help_panel=_WHERE)
    ] = None
    timeout: Annotated[
        float | None, Option(metavar="SECONDS", help="How long one request may take.", rich_help_panel=_WHERE)
    ] = None
    max_wait: Annotated[
        float | None,
        Option(
            metavar="SECONDS",
            help="Longest wait for the rate limit. Default: as long as it takes.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    verbose: Annotated[
        bool,
        Option(
            "--verbose",
            "-v",
            help="Show logs, and in a pipe the API's details of errors, which may quote personal data.",
            rich_help_panel=_WHERE,
        ),
    ] = False


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
