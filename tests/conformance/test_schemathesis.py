"""Schemathesis against the simulator: whatever it makes of the OpenAPI documents is answered as they say.

Runs only where `PERSONA_OPENAPI` names a document, as the nox session `conformance` sees to.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import HealthCheck, settings

from conformance.document import Document, Documents
from conformance.exchange import API_ROOT, Answer, Exchange, Request
from conformance.ledger import Ledger
from conformance.lifelike import Lifelike
from persona_cases.testing import Simulator

PATH = os.environ.get("PERSONA_OPENAPI")
if not PATH:
    pytest.skip("needs an OpenAPI document: nox -s conformance -- PATH", allow_module_level=True)
schemathesis = pytest.importorskip("schemathesis", reason="comes with the session `conformance`")
from schemathesis.specs.openapi import checks  # noqa: E402

EXAMPLES = 100
TRANSPORT_HEADERS = {"connection", "content-length", "date", "server"}
LEFT_OUT = [
    # Our own check knows that names follow `Key-Inflection`,
    checks.response_schema_conformance,
    # and sees a request as it was sent: `fields[x]=null` breaks the schema before it is written down, and not after.
    checks.negative_data_rejection,
    # The documents do not say all that makes a request good: which statuses, fields and objects there are.
    checks.positive_data_acceptance,
    # `/cases/search` is also a case's path, of a case that is called so: more methods work than its entry has.
    checks.allow_header_conformance,
]
DOCUMENTS = Documents.read(Path(PATH))
SETTINGS = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)


def schema_of(document: Document) -> Any:
    schema = schemathesis.openapi.from_dict(document.content)
    schema.config.generation.update(deterministic=True, max_examples=EXAMPLES)
    return schema


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator of its own for each operation, in a thread: schemathesis waits for its answers."""
    simulator = Simulator(cases=40, seed=7)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(simulator.start(), loop).result()
    try:
        yield simulator
    finally:
        asyncio.run_coroutine_threadsafe(simulator.stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def as_the_document_says(_: Any, response: Any, case: Any) -> None:
    sent = response.request
    url = urlsplit(sent.url)
    request = Request(
        sent.method,
        unquote(url.path).removeprefix(API_ROOT),
        url.query,
        {name.lower(): value for name, value in sent.headers.items()},
        sent.body.encode() if isinstance(sent.body, str) else sent.body or b"",
    )
    headers = {name: values[0] for name, values in response.headers.items() if name not in TRANSPORT_HEADERS}
    answer = Answer(response.status_code, headers, response.content)
    findings = Ledger().judge(DOCUMENTS, Exchange(request, answer))
    assert not findings, "; ".join(map(str, findings))


def call(case: Any, simulator: Simulator) -> None:
    Lifelike(simulator).put_into(case)
    case.call_and_validate(
        base_url=simulator.base_url,
        headers={"Authorization": f"Bearer {simulator.api_key}"},
        additional_checks=[as_the_document_says],
        excluded_checks=LEFT_OUT,
    )


newest = schema_of(DOCUMENTS.newest)
oldest = schema_of(DOCUMENTS.oldest)


@newest.parametrize()
@SETTINGS
def test_requests_by_the_newest_document(case: Any, simulator: Simulator) -> None:
    call(case, simulator)


@pytest.mark.skipif(DOCUMENTS.oldest is DOCUMENTS.newest, reason="there is one document")
@oldest.parametrize()
@SETTINGS
def test_requests_by_the_oldest_document(case: Any, simulator: Simulator) -> None:
    call(case, simulator)
