"""Requests to endpoints for which this library has no method."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import cast

from persona_cases.errors import InvalidArgumentError
from persona_cases.json_values import encode_body, json_value
from persona_cases.models import UNSET
from persona_cases.protocol.checks import can_be_sent
from persona_cases.protocol.message import QueryPairs, Request, Safety
from persona_cases.resources.requests.argument_checks import chosen_or_new_key

_SAFETY = {
    "GET": Safety.READ,
    "HEAD": Safety.READ,
    "POST": Safety.KEYED,
    "PUT": Safety.REPEATABLE,
    "DELETE": Safety.REPEATABLE,
    # A repeated PATCH would add items to lists, such as attachments, twice.
    "PATCH": Safety.ONCE,
}
_PATH = re.compile(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)+")


def other_request(
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | Iterable[tuple[str, str]],
    json: object,
    idempotency_key: str | None,
    safety: Safety | None,
) -> Request:
    """Check the arguments of `PersonaClient.request` and make the request.

    Raises:
        InvalidArgumentError: if one of them is invalid.
    """
    verb = _verb(method)
    safety = _SAFETY[verb] if safety is None else _checked_safety(safety)
    if idempotency_key is not None and verb != "POST":
        raise InvalidArgumentError("idempotency_key: the API honours it on POST only")
    keyed = safety is Safety.KEYED or idempotency_key is not None
    return Request(
        verb,
        _checked_path(path),
        query=_pairs(params),
        body=None if json is UNSET else encode_body(json_value(json, "json")),
        safety=safety,
        idempotency_key=chosen_or_new_key(idempotency_key) if keyed else None,
    )


def _checked_safety(value: object) -> Safety:
    if not isinstance(value, Safety):
        raise InvalidArgumentError("safety must be a Safety, such as Safety.READ")
    return value


def _verb(method: object) -> str:
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _SAFETY:
        raise InvalidArgumentError(f"method must be one of {', '.join(_SAFETY)}")
    return verb


def _checked_path(path: object) -> str:
    if not isinstance(path, str) or not _PATH.fullmatch(path) or {".", ".."} & set(path.split("/")):
        raise InvalidArgumentError(
            "path must start with '/' and lie below the base URL, such as '/accounts'; parameters go into params="
        )
    return path


def _pairs(params: object) -> QueryPairs:
    listed = cast("Mapping[object, object]", params).items() if isinstance(params, Mapping) else params
    pairs = tuple(cast("Iterable[object]", listed)) if isinstance(listed, Iterable) else ()
    if not isinstance(listed, Iterable) or not all(map(_is_pair, pairs)):
        raise InvalidArgumentError("params must be a mapping of strings, or pairs of them")
    return cast("QueryPairs", pairs)


def _is_pair(value: object) -> bool:
    match value:
        case (str() as name, str() as text):
            return can_be_sent(name) and can_be_sent(text)
        case _:
            return False
