"""`watch`: new cases as they appear, and how to go on without a gap."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta

import pytest

from persona_cases.testing import Fault

NOW = datetime(2027, 1, 1, tzinfo=UTC)


@pytest.fixture
def newer(api):
    """Four cases newer than all others, oldest first; the second is of another template."""
    templates = ("KYC", "AML", "KYC", "KYC")
    return [
        api.store.create_case(template, created_at=NOW + timedelta(minutes=minute)).id
        for minute, template in enumerate(templates)
    ]


def test_cases_newer_than_another_come_oldest_first(cli, newer):
    ran = cli("watch", "--since", newer[0], "--limit", "3")
    assert (ran.code, ran.err, ran.ids) == (0, "", newer[1:])


def test_the_template_and_the_status_narrow_it(cli, api, newer):
    api.store.update_case(newer[3], status="pending")
    template = api.store.template("KYC").id
    ran = cli("watch", "--since", newer[0], "--template", template, "--status", "open", "--limit", "1")
    assert ran.ids == [newer[2]]


def test_an_error_says_how_to_go_on(cli, api, newer):
    api.faults.add(Fault.status(422), path="/cases", nth=2)
    ran = cli("watch", "--since", newer[1], "--interval", "0.01")
    assert (ran.code, ran.ids) == (6, newer[2:])
    assert ran.err.endswith(f"\nhint: resume with the same options and --since {newer[3]}\n")


@pytest.mark.parametrize(("number", "code", "last"), [(signal.SIGINT, 130, "interrupted\n"), (signal.SIGTERM, 143, "")])
def test_a_watch_lasts_until_it_is_interrupted(start, api, newer, number, code, last):
    started = start("watch", "--since", newer[2], "--interval", "0.05")
    started.wait_for(newer[3].encode())
    latest = api.store.create_case("KYC", created_at=NOW + timedelta(hours=1)).id
    started.wait_for(latest.encode())
    started.send_signal(number)
    assert (started.wait(), started.out.count(b"\n")) == (code, 2)
    assert started.err == f"hint: resume with the same options and --since {latest}\n{last}"


@pytest.mark.parametrize("argv", [["--interval", "-1"], ["--limit", "0"], ["--since", ""]])
def test_bad_arguments_are_refused_before_anything_is_sent(cli, api, argv):
    ran = cli("watch", *argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
