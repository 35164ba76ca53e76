"""The watch itself: it hears what it should, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from persona_cases import ConnectionFailedError
from persona_cases.testing import CaseFactory
from secrecy.overhearing import texts_of
from secrecy.secrets import Secrets

pytest_plugins = ["pytester"]

SUITE = """
import asyncio
import logging
import warnings

import pytest
from persona_cases import ConnectionFailedError, PersonaClient, ServerError

KEPT = []


def test_a_key_in_a_record():
    logging.getLogger("persona_cases").debug("sent %s", "persona_sandbox_simulator")


def test_a_key_of_ones_own_in_a_record():
    PersonaClient("a-key-of-ones-own")
    logging.getLogger("aiohttp.client").info("sent a-key-of-ones-own")


def test_an_address_in_an_extra():
    logging.getLogger("persona_cases").info("sent", extra={"to": "maya.okafor@example.com"})


def test_a_comment_in_an_exception_of_a_record():
    logging.getLogger("asyncio").error("never retrieved", exc_info=ValueError("Checked by phone."))


def test_a_name_in_an_error():
    with pytest.raises(ServerError):
        raise ServerError("no Fontaine", status=500)


def test_a_key_in_a_cause():
    with pytest.raises(ConnectionFailedError):
        raise ConnectionFailedError("lost") from OSError("Authorization: Bearer abc")


def test_a_key_in_a_hidden_context():
    with pytest.raises(ConnectionFailedError):
        try:
            raise OSError("Proxy-Authorization: Bearer abc")
        except OSError:
            raise ConnectionFailedError("lost") from None


def test_a_name_in_an_error_that_is_kept():
    KEPT.append(ServerError("without Eriksen", status=500))


def test_an_address_in_a_warning():
    warnings.warn("unclosed jane@example.com", ResourceWarning)


def test_what_others_log():
    logging.getLogger("mine").warning("jane@example.com")
    with pytest.raises(ValueError):
        raise ValueError("jane@example.com")


def test_what_is_no_secret():
    logging.getLogger("persona_cases").debug("request.answered method=GET path=/cases status=200")
    ServerError(status=500, request_id="req_1")
"""
LET_OUT = SUITE.count("def test_a")


@pytest.fixture
def watched(pytester, monkeypatch):
    """Run a suite under the watch."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeini("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")

    def run(suite):
        pytester.makepyfile(suite)
        return pytester.runpytest_subprocess("-p", "secrecy.plugin", "-p", "no:cacheprovider", "-W", "default")

    return run


def test_what_gets_out_fails_the_test_and_is_not_repeated(watched):
    result = watched(SUITE)
    # A warning is heard when its test is over, so that the next one fails.
    result.assert_outcomes(passed=LET_OUT + 2, errors=LET_OUT, warnings=1)
    kinds = ("API key in", "e-mail address in", "comment in", "name in")
    said = [line for line in result.outlines if line.startswith(kinds)]
    assert len(said) >= LET_OUT
    assert all("***" in line and "Bearer abc" not in line and "@example.com" not in line for line in said)


def test_what_gets_out_after_the_last_test_fails_the_run(watched):
    result = watched("import warnings\ndef test(): warnings.warn('unclosed jane@example.com', ResourceWarning)")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["e-mail address in a warning: unclosed [*][*][*]"])


def test_all_that_the_factory_invents_about_people_is_known():
    secrets = Secrets()
    factory = CaseFactory(300, seed=5)
    texts = {account.reference_id for account in factory.accounts}
    for case in factory:
        texts |= {file.filename for file in case.attachments}
        texts |= {
            id for id in (case.creator_id, case.assignee_id, case.updater_id, case.resolver_id) if id and "@" in id
        }
        for key, field in case.fields.items():
            parts = field["value"].values() if field["type"] == "hash" and field["value"] else [field]
            texts |= {part["value"] for part in parts if part["type"] == "string" and key != "reason_code"}
    # Codes and numbers are too short to be told from others.
    texts = {text for text in texts if text and not text.isdigit() and text not in {"DE", "FR", "US"}}
    assert len(texts) > 100
    assert [text for text in texts if not list(secrets.find(f"error: {text!r}"))] == []


def test_errors_are_heard_with_their_whole_chain():
    outer, failure = OSError("outer"), ConnectionFailedError("lost")
    outer.__context__ = ExceptionGroup("several", [KeyError("inner")])
    failure.__cause__ = outer
    shown = dict(texts_of(failure))
    assert shown["str of ConnectionFailedError"] == "lost"
    assert shown["str of OSError behind ConnectionFailedError"] == "outer"
    assert "inner" in shown["str of KeyError behind ConnectionFailedError"]
    # A chain may run in a circle.
    error = OSError("round")
    error.__cause__, failure.__cause__ = failure, error
    assert len(dict(texts_of(failure))) == 8
