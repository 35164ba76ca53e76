"""An asyncio-native client for Persona's Cases API, with a composable query language."""

from typing import TYPE_CHECKING, Any

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
from persona_cases.export.report import ExportReport
from persona_cases.export.runner import ExportProgress
from persona_cases.models import Case
from persona_cases.paging import Page, Pager
from persona_cases.protocol.message import Request, Response, Safety
from persona_cases.protocol.options import Timeout
from persona_cases.protocol.retry import RetryPolicy
from persona_cases.query import Q
from persona_cases.resources.many import ManyCases
from persona_cases.resources.uploads import Upload
from persona_cases.resources.watching import CaseWatch
from persona_cases.transport.limiter import Feedback, Limiter, LimiterState, LocalLimiter, Permit
from persona_cases.transport.middleware import Middleware, Next
from persona_cases.transport.quota_limiter import QuotaLimiter

if TYPE_CHECKING:
    from persona_cases.transport.redis_limiter import RedisLimiter as RedisLimiter

__version__ = "0.1.0"

__all__ = [
    "APIError",
    "AuthenticationError",
    "BadRequestError",
    "Case",
    "CaseWatch",
    "ClientStateError",
    "ConflictError",
    "ConnectionFailedError",
    "DecodeError",
    "ErrorItem",
    "ExportProgress",
    "ExportReport",
    "Feedback",
    "IndeterminateError",
    "InvalidArgumentError",
    "Limiter",
    "LimiterState",
    "LocalLimiter",
    "ManyCases",
    "Middleware",
    "Next",
    "NotFoundError",
    "NotLoadedError",
    "Page",
    "Pager",
    "PaginationError",
    "PermissionDeniedError",
    "Permit",
    "PersonaClient",
    "PersonaError",
    "Q",
    "QueryError",
    "QueryTooComplexError",
    "QueryTypeError",
    "QuotaExceededError",
    "QuotaLimiter",
    "RateLimitError",
    "Request",
    "RequestTimeoutError",
    "Response",
    "ResultCountError",
    "RetryPolicy",
    "Safety",
    "ServerError",
    "Timeout",
    "TransportError",
    "UnknownAttributeError",
    "UnprocessableEntityError",
    "Upload",
    "__version__",
]


def __getattr__(name: str) -> Any:
    # It needs the extra `redis`, which most programs do without.
    if name == "RedisLimiter":
        from persona_cases.transport.redis_limiter import RedisLimiter  # noqa: PLC0415

        return RedisLimiter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
