"""The pytest plugin: every test that lets a secret out fails."""

from __future__ import annotations

import warnings
from collections.abc import Generator

import pytest

from secrecy.overhearing import Finding, Overheard

__all__ = ["Secrecy"]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Secrecy(), "secrecy-watch")


class Secrecy:
    """Listens in the whole run, and speaks up after each test."""

    def __init__(self) -> None:
        self.overheard = Overheard()
        self._last: list[Finding] = []
        self._patch = pytest.MonkeyPatch()
        self.overheard.listen(self._patch)

    def pytest_runtest_setup(self) -> None:
        self.overheard.speak_up()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self) -> Generator[None]:
        yield
        self._check()

    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        self.overheard.hear("a warning", str(warning_message.message))

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None]:
        # What was said after the last test.
        self._last = self.overheard.take()
        if self._last:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        yield

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for finding in self._last:
            terminalreporter.write_line(str(finding))

    def pytest_unconfigure(self) -> None:
        self._patch.undo()

    def _check(self) -> None:
        if found := self.overheard.take():
            pytest.fail("secrets got out:\n" + "\n".join(map(str, found)), pytrace=False)
