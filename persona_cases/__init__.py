"""An asyncio-native client for Persona's Cases API, with a composable query language.

Each name is imported on first use, so a program that only builds queries does not load the client.
"""

from typing import TYPE_CHECKING

from persona_cases.surface import lazily

if TYPE_CHECKING:
    from persona_cases.changes.change_values import Upload
    from persona_cases.client import PersonaClient
    from persona_cases.errors import (
        APIError,
        AuthenticationError,
        BadRequestError,
        ClientStateError,
        ConflictError,
        ConnectionFailedError,
        DecodeError,
        ErrorItem,
        IndeterminateError,
        InvalidArgumentError,
        NotFoundError,
        NotLoadedError,
        PaginationError,
        PermissionDeniedError,
        PersonaError,
        QueryError,
        QueryTooComplexError,
        QueryTypeError,
        QuotaExceededError,
        RateLimitError,
        RequestTimeoutError,
        ResultCountError,
        ServerError,
        TransportError,
        UnknownAttributeError,
        UnprocessableEntityError,
    )
    from persona_cases.export import ExportProgress, ExportReport
    from persona_cases.models import Attachment, Case, CaseTemplate
    from persona_cases.paging import Page, Pager
    from persona_cases.protocol.call_options import Timeout
    from persona_cases.protocol.message import Request, Response, Safety
    from persona_cases.protocol.retry import RetryPolicy
    from persona_cases.query import Predicate, Q, Sort, parse
    from persona_cases.resources.cases import Cases
    from persona_cases.resources.changing.change_report import ChangePlan, ChangeProgress, ChangeReport, ChangeRow
    from persona_cases.resources.reading.case_pager import CasePager
    from persona_cases.resources.reading.case_watch import CaseWatch
    from persona_cases.resources.reading.many_cases import ManyCases
    from persona_cases.transport.middleware import Middleware, Next

__version__ = "0.1.0"

__all__ = [
    "APIError",
    "Attachment",
    "AuthenticationError",
    "BadRequestError",
    "Case",
    "CasePager",
    "CaseTemplate",
    "CaseWatch",
    "Cases",
    "ChangePlan",
    "ChangeProgress",
    "ChangeReport",
    "ChangeRow",
    "ClientStateError",
    "ConflictError",
    "ConnectionFailedError",
    "DecodeError",
    "ErrorItem",
    "ExportProgress",
    "ExportReport",
    "IndeterminateError",
    "InvalidArgumentError",
    "ManyCases",
    "Middleware",
    "Next",
    "NotFoundError",
    "NotLoadedError",
    "Page",
    "Pager",
    "PaginationError",
    "PermissionDeniedError",
    "PersonaClient",
    "PersonaError",
    "Predicate",
    "Q",
    "QueryError",
    "QueryTooComplexError",
    "QueryTypeError",
    "QuotaExceededError",
    "RateLimitError",
    "Request",
    "RequestTimeoutError",
    "Response",
    "ResultCountError",
    "RetryPolicy",
    "Safety",
    "ServerError",
    "Sort",
    "Timeout",
    "TransportError",
    "UnknownAttributeError",
    "UnprocessableEntityError",
    "Upload",
    "__version__",
    "parse",
]

_HOMES = {
    "persona_cases.changes.change_values": ("Upload",),
    "persona_cases.client": ("PersonaClient",),
    "persona_cases.errors": (
        "APIError",
        "AuthenticationError",
        "BadRequestError",
        "ClientStateError",
        "ConflictError",
        "ConnectionFailedError",
        "DecodeError",
        "ErrorItem",
        "IndeterminateError",
        "InvalidArgumentError",
        "NotFoundError",
        "NotLoadedError",
        "PaginationError",
        "PermissionDeniedError",
        "PersonaError",
        "QueryError",
        "QueryTooComplexError",
        "QueryTypeError",
        "QuotaExceededError",
        "RateLimitError",
        "RequestTimeoutError",
        "ResultCountError",
        "ServerError",
        "TransportError",
        "UnknownAttributeError",
        "UnprocessableEntityError",
    ),
    "persona_cases.export": ("ExportProgress", "ExportReport"),
    "persona_cases.models": ("Attachment", "Case", "CaseTemplate"),
    "persona_cases.paging": ("Page", "Pager"),
    "persona_cases.protocol.message": ("Request", "Response", "Safety"),
    "persona_cases.protocol.call_options": ("Timeout",),
    "persona_cases.protocol.retry": ("RetryPolicy",),
    "persona_cases.query": ("Predicate", "Q", "Sort", "parse"),
    "persona_cases.resources.cases": ("Cases",),
    "persona_cases.resources.changing.change_report": ("ChangePlan", "ChangeProgress", "ChangeReport", "ChangeRow"),
    "persona_cases.resources.reading.many_cases": ("ManyCases",),
    "persona_cases.resources.reading.case_pager": ("CasePager",),
    "persona_cases.resources.reading.case_watch": ("CaseWatch",),
    "persona_cases.transport.middleware": ("Middleware", "Next"),
}
_MODULES = ("changes", "errors", "export", "limits", "mirror", "models", "observers", "query", "testing", "typed")

# Hidden from type checkers, which would otherwise accept any name.
if not TYPE_CHECKING:
    __getattr__, __dir__ = lazily(__name__, _HOMES, _MODULES)
