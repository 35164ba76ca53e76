"""The options of the commands, in groups that several commands share."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Final, TypeAlias, cast, get_type_hints

import attrs
from typer import Option

__all__ = [
    "DEFAULT_CASES",
    "Connection",
    "FieldsOption",
    "Filters",
    "Format",
    "LimitOption",
    "Selection",
    "Server",
    "Shape",
    "Walk",
    "with_options",
]

DEFAULT_CASES: Final = 1000
"""How many cases `--simulator` makes up."""

_WHAT = "What to find"
_HOW = "How to walk"
_OUT = "What to print"
_WHERE = "Where to ask"


class Format(enum.StrEnum):
    """How cases are printed."""

    TABLE = "table"
    PRETTY = "pretty"
    JSON = "json"
    JSONL = "jsonl"


LimitOption: TypeAlias = Annotated[
    int | None, Option(min=0, metavar="N", help="The most cases in all; no limit by default.", rich_help_panel=_WHAT)
]
FieldsOption: TypeAlias = Annotated[
    str | None,
    Option(metavar="NAME,…", help="Load these attributes alone: status,fields.priority", rich_help_panel=_OUT),
]


@attrs.frozen(kw_only=True)
class Selection:
    """Which cases a search looks for, and in what order."""

    where: Annotated[
        str | None,
        Option(
            help="What to look for, such as \"status == 'open' and fields.priority != 'low'\".", rich_help_panel=_WHAT
        ),
    ] = None
    query_json: Annotated[
        str | None,
        Option(
            metavar="JSON|@FILE|-",
            help="The same as the API's own JSON: as it is, from a file, or from stdin.",
            rich_help_panel=_WHAT,
        ),
    ] = None
    sort: Annotated[
        str | None,
        Option(metavar="ATTRIBUTE:asc|desc", help="The order; newest first by default.", rich_help_panel=_WHAT),
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
    page_size: Annotated[int, Option(min=1, max=100, metavar="N", help="Cases a request.", rich_help_panel=_HOW)] = 100
    after: Annotated[
        str | None, Option(metavar="CURSOR", help="Go on after this cursor, which is a case id.", rich_help_panel=_HOW)
    ] = None
    before: Annotated[
        str | None, Option(metavar="CURSOR", help="Go the other way from this cursor.", rich_help_panel=_HOW)
    ] = None
    explain: Annotated[
        bool, Option("--explain", help="Print what would be sent, and send nothing.", rich_help_panel=_HOW)
    ] = False


@attrs.frozen(kw_only=True)
class Shape:
    """What is printed of the cases, and how."""

    fields: FieldsOption = None
    output: Annotated[
        Format | None,
        Option(
            help="In a pipe jsonl by default: a line a case, exactly as sent. On a terminal a table; get: pretty.",
            rich_help_panel=_OUT,
        ),
    ] = None


@attrs.frozen(kw_only=True)
class Connection:
    """Whom to ask, and how patiently."""

    simulator: Annotated[
        bool,
        Option(
            "--simulator", help="Ask a simulator inside this command; no account is needed.", rich_help_panel=_WHERE
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
        Option(metavar="URL", help="Where the API lives, if not at PERSONA_BASE_URL.", rich_help_panel=_WHERE),
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
            help="How long to wait for the rate limit; as long as it takes by default.",
            rich_help_panel=_WHERE,
        ),
    ] = None
    verbose: Annotated[
        bool,
        Option(
            "--verbose",
            "-v",
            help="Show logs, and the vendor's details of errors, which may quote personal data.",
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
    rate_limit: Annotated[
        str, Option(metavar="REQUESTS/SECONDS|off", help="The rate limit; by default the API's own.")
    ] = "300/60"
    latency: Annotated[float, Option(min=0, help="Seconds that each answer takes longer.")] = 0.0
    index_lag: Annotated[float, Option(min=0, help="Seconds until searches see a change.")] = 0.0


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command take groups of options: a parameter annotated with a group above becomes all options of it.

    Typer makes one option of one parameter, so it is shown a signature with the groups spread out.
    """
    groups: dict[str, type[Any]] = {}
    shown: list[inspect.Parameter] = []
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        if attrs.has(hints[name]):
            groups[name] = hints[name]
            shown.extend(_spread(hints[name]))
        else:
            shown.append(parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY))

    def spread_command(**given: Any) -> None:
        made = {
            name: group(**{field.name: given.pop(field.name) for field in attrs.fields(group)})
            for name, group in groups.items()
        }
        command(**made, **given)

    spread_command.__name__, spread_command.__doc__ = command.__name__, command.__doc__
    cast("Any", spread_command).__signature__ = inspect.Signature(shown)
    return spread_command


def _spread(group: type[Any]) -> Iterator[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    for field in attrs.fields(group):
        yield inspect.Parameter(
            field.name, inspect.Parameter.KEYWORD_ONLY, default=field.default, annotation=hints[field.name]
        )
