"""What is wrong with a request or an answer, by the document. Nothing here quotes a value that was sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import attrs
import msgspec
from jsonschema_rs import ValidationError, ValidationErrorKind

from conformance.document import Document, Header, Media, Operation, Schema
from conformance.exchange import Answer, Request

__all__ = ["Violation", "answer_violations", "operation_name", "request_violations"]

_NAMES_SHOWN = 4


@attrs.frozen
class Violation:
    """One thing that the document does not allow.

    Attributes:
        where: `path`, `status`, `header NAME`, `query NAME`, `query NAME.MEMBER` or `body POINTER`.
        rule: the keyword of the schema, or what else is the matter.
    """

    where: str
    rule: str

    def __str__(self) -> str:
        return f"{self.where}: {self.rule}"


def operation_name(document: Document, request: Request) -> str:
    """The operation that a request is for, or method and path if the document has none."""
    operation = document.find(request.method, request.path)
    return operation.name if operation else f"{request.method} {request.path}"


def request_violations(document: Document, request: Request) -> list[Violation]:
    """What is wrong with a request. The names in a body may be spelled as the vendor allows, save in our own."""
    operation = document.find(request.method, request.path)
    if operation is None:
        return [Violation("path", "not in the document")]
    return [
        *_security(operation, request),
        *_query(operation, request),
        *_header_parameters(operation, request),
        *_request_body(document, operation, request),
    ]


def answer_violations(document: Document, request: Request, answer: Answer) -> list[Violation]:
    """What is wrong with an answer; nothing can be, if the request was for nothing that the document knows."""
    operation = document.find(request.method, request.path)
    if operation is None:
        return []
    response = operation.responses.get(answer.status)
    if response is None:
        return [Violation("status", f"{answer.status} is not declared")]
    return [
        *_answer_headers(response.headers, answer),
        *_answer_body(document, response.media, request.inflection, answer),
    ]


def _security(operation: Operation, request: Request) -> Iterator[Violation]:
    if operation.secured and request.authorized is False:
        yield Violation("header authorization", "required")


def _query(operation: Operation, request: Request) -> Iterator[Violation]:
    declared = {each.name: each for each in operation.parameters if each.location == "query"}
    deep: dict[str, dict[str, str]] = {}
    seen: set[str] = set()
    for name, text in parse_qsl(request.query, keep_blank_values=True):
        if name in seen:
            yield Violation(f"query {name}", "given more than once")
        seen.add(name)
        family, bracket, rest = name.partition("[")
        parameter = declared.get(family)
        if parameter is None or parameter.deep != bool(bracket):
            yield Violation(f"query {name}", "not declared")
        elif not parameter.deep:
            yield from _violations(f"query {name}", parameter.schema, parameter.schema.from_text(text))
        elif not rest.endswith("]") or "[" in rest:
            yield Violation(f"query {name}", "not of the form name[member]")
        else:
            deep.setdefault(family, {})[rest[:-1]] = text
    for family, texts in deep.items():
        schema = declared[family].schema
        yield from _violations(f"query {family}", schema, schema.from_texts(texts), ".")
    for parameter in declared.values():
        if parameter.required and parameter.name not in seen | deep.keys():
            yield Violation(f"query {parameter.name}", "required")


def _header_parameters(operation: Operation, request: Request) -> Iterator[Violation]:
    for parameter in operation.parameters:
        if parameter.location != "header":
            continue
        text = request.headers.get(parameter.name.lower())
        if text is not None:
            yield from _violations(f"header {parameter.name}", parameter.schema, parameter.schema.from_text(text))
        elif parameter.required:
            yield Violation(f"header {parameter.name}", "required")


def _request_body(document: Document, operation: Operation, request: Request) -> Iterator[Violation]:
    if not request.body:
        if operation.body_required:
            yield Violation("body", "required")
        return
    if not operation.body:
        yield Violation("body", "not declared")
        return
    schema, content = _parsed(operation.body, request.headers, request.body)
    if schema is None:
        yield Violation("body", content)
        return
    found = list(_violations("body ", schema, content))
    if found and not request.is_ours:
        found = list(_violations("body ", schema, document.spelling.restored_from_any(content)))
    yield from found


def _answer_headers(declared: Mapping[str, Header], answer: Answer) -> Iterator[Violation]:
    given = {name.lower(): value for name, value in answer.headers.items()}
    for name, header in declared.items():
        if name in given:
            yield from _violations(f"header {name}", header.schema, header.schema.from_text(given[name]))
        elif header.required:
            yield Violation(f"header {name}", "declared and missing")
    for name in given.keys() - declared.keys() - {"content-type"}:
        yield Violation(f"header {name}", f"not declared for {answer.status}")


def _answer_body(document: Document, media: Media, inflection: str, answer: Answer) -> Iterator[Violation]:
    headers = {name.lower(): value for name, value in answer.headers.items()}
    schema, content = _parsed(media, headers, answer.body)
    if schema is None:
        yield Violation("body", content)
    else:
        yield from _violations("body ", schema, document.spelling.restored(content, inflection))


def _parsed(media: Media, headers: Mapping[str, str], body: bytes) -> tuple[Schema | None, Any]:
    """The schema of a body and its content; or no schema, and what is wrong."""
    type_ = headers.get("content-type", "").partition(";")[0].strip().lower()
    schema = media.get(type_)
    if schema is None:
        return None, f"content type {type_ or '(none)'} is not declared"
    try:
        return schema, msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None, "not JSON"


def _violations(where: str, schema: Schema, value: Any, separator: str = "/") -> Iterator[Violation]:
    if schema.validator.is_valid(value):
        return
    for error in schema.validator.iter_errors(value):
        for cause in _causes(error):
            pointer = "".join(f"{separator}{step}" for step in cause.instance_path)
            yield Violation(f"{where}{pointer}".strip(), _rule(cause))


def _causes(error: ValidationError) -> Iterator[ValidationError]:
    """The errors of that alternative of a `oneOf` or `anyOf` which was meant: the one whose `type` fits."""
    match error.kind:
        case ValidationErrorKind.OneOfNotValid(context) | ValidationErrorKind.AnyOf(context):
            depth = len(error.instance_path)
            meant = [branch for branch in context if branch and not any(_unlike(cause, depth) for cause in branch)]
            if len(meant) == 1:
                for cause in meant[0]:
                    yield from _causes(cause)
                return
    yield error


def _unlike(error: ValidationError, depth: int) -> bool:
    """Whether an error shows that an alternative is for another kind of thing."""
    inside = error.instance_path[depth:]
    return (not inside and error.kind.name == "type") or (inside == ["type"] and error.kind.name in {"const", "enum"})


def _rule(error: ValidationError) -> str:
    match error.kind:
        case ValidationErrorKind.AdditionalProperties(names) | ValidationErrorKind.UnevaluatedProperties(names):
            return f"{error.kind.name} ({', '.join(sorted(names)[:_NAMES_SHOWN])})"
        case ValidationErrorKind.Required(name):
            return f"required ({name})"
    return str(error.kind.name)
