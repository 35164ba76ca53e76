"""The pytest plugin: `pytest -p conformance.plugin --openapi=PATH`, with this directory's parent on the module path."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from conformance.document import Documents
from conformance.ledger import Finding, Ledger
from conformance.overhearing import Overheard

__all__ = ["ENVIRONMENT_VARIABLE"]

ENVIRONMENT_VARIABLE = "PERSONA_OPENAPI"
_SENT_BY_WORKERS = "conformance"
_SHOWN = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("conformance")
    group.addoption(
        "--openapi",
        default=os.environ.get(ENVIRONMENT_VARIABLE),
        help=f"OpenAPI document, or directory of documents, to check against [{ENVIRONMENT_VARIABLE}]",
    )
    group.addoption(
        "--openapi-complete",
        action="store_true",
        help="fail if an operation of the document was never exercised, or an exception never needed",
    )


def pytest_configure(config: pytest.Config) -> None:
    given = config.getoption("--openapi")
    if not given:
        raise pytest.UsageError(f"conformance: give --openapi=PATH, or set {ENVIRONMENT_VARIABLE}")
    try:
        documents = Documents.read(Path(given))
    except (OSError, ValueError) as error:
        raise pytest.UsageError(f"conformance: {error}") from error
    config.pluginmanager.register(Conformance(config, documents), "conformance-checks")


class Conformance:
    """Checks what each test caused, when the test is over."""

    def __init__(self, config: pytest.Config, documents: Documents) -> None:
        self._config = config
        self._documents = documents
        self._ledger = Ledger()
        self._overheard = Overheard()
        self._patch = pytest.MonkeyPatch()
        self._overheard.listen(self._patch)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, Any, Any]:
        try:
            result = yield
        except BaseException:
            self._judged()
            raise
        findings = self._judged()
        if findings:
            pytest.fail(_report(findings), pytrace=False)
        return result

    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of xdist is done: take over what it counted."""
        plain = getattr(node, "workeroutput", {}).get(_SENT_BY_WORKERS)
        if plain is not None:
            self._ledger.add(Ledger.from_plain(plain))

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        sent = getattr(self._config, "workeroutput", None)
        if sent is not None:
            sent[_SENT_BY_WORKERS] = self._ledger.to_plain()
        elif session.exitstatus == pytest.ExitCode.OK and self._incomplete():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("conformance")
        for line in self._ledger.lines(self._documents):
            terminalreporter.line(line)
        for line in self._incomplete():
            terminalreporter.line(line, red=True)
        if self._ledger.findings:
            terminalreporter.line(f"{self._ledger.findings:,} violations", red=True)

    def pytest_unconfigure(self) -> None:
        self._patch.undo()

    def _judged(self) -> list[Finding]:
        return [
            finding for exchange in self._overheard.take() for finding in self._ledger.judge(self._documents, exchange)
        ]

    def _incomplete(self) -> list[str]:
        if not self._config.getoption("--openapi-complete"):
            return []
        never = (f"never exercised: {name}" for name in self._ledger.unexercised(self._documents))
        unneeded = (
            f"exception never needed: {each.kind} {each.operation} {each.where}" for each in self._ledger.unneeded()
        )
        return [*never, *unneeded]


def _report(findings: list[Finding]) -> str:
    counted = Counter(map(str, findings))
    lines = [f"{text}" + (f" ({count} times)" if count > 1 else "") for text, count in counted.items()]
    more = [f"... and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join(["the OpenAPI document does not allow:", *lines[:_SHOWN], *more])
