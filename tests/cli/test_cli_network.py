"""The command line in networks with proxies, own authorities and plain http."""

from __future__ import annotations

import pytest
from faults.scenes import CERTIFICATE

from persona_cases.cli.screen.resume_command import without_password
from persona_cases.testing import Fault

ADDRESS = ("--base-url", "http://simulator:8080/api/v1")
PASSWORD = "proxy-password"


def test_a_proxy_and_an_authority_are_taken(cli, api):
    # This machine is asked for over nobody's proxy, unless one is given.
    dead = cli("list", "--limit", "1", "--proxy", f"http://jane:{PASSWORD}@127.0.0.1:1", "--ca-file", str(CERTIFICATE))
    assert dead.code == 7
    assert dead.err.startswith("error: the proxy could not be reached: Connection refused: check proxy=")
    assert "hint: check the address: see --base-url, --proxy and --ca-file" in dead.err
    assert PASSWORD not in dead.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--proxy", f"jane:{PASSWORD}@proxy:3128"), "proxy has no scheme: write it as http://host:port"),
        (("--ca-file", "/nowhere/ca.pem"), "--ca-file: the CA file cannot be read: No such file or directory"),
        (ADDRESS, "pass allow_http=True (PERSONA_ALLOW_HTTP=1, --allow-http)"),
        (("--base-url", "https://api.withpersona.com"), "has no path: the API is below /api/v1"),
    ],
)
def test_what_cannot_work_is_a_mistake_of_usage(cli, api, options, said):
    ran = cli("list", "--limit", "1", *options)
    assert ran.code == 2
    assert said in ran.err
    assert PASSWORD not in ran.err


@pytest.mark.parametrize("option", [("--proxy", "http://proxy:1"), ("--ca-file", "ca.pem"), ("--allow-http",)])
def test_a_simulator_of_its_own_needs_no_network(cli, option):
    ran = cli("list", "--simulator", *option)
    assert (ran.code, option[0] in ran.err) == (2, True)


def test_plain_http_can_be_allowed(cli, monkeypatch):
    monkeypatch.setenv("PERSONA_API_KEY", "a-key")
    assert cli("list", "--explain", *ADDRESS).code == 2
    assert cli("list", "--explain", *ADDRESS, "--allow-http").code == 0
    monkeypatch.setenv("PERSONA_ALLOW_HTTP", "1")
    assert cli("list", "--explain", *ADDRESS).code == 0


@pytest.mark.parametrize(
    ("fault", "code", "said"),
    [
        (Fault.redirect("https://withpersona.com/"), 6, "(this one leads to withpersona.com): check base_url"),
        (Fault.html(200), 8, "not JSON but a web page (HTML)"),
        (Fault.html(404), 4, "not the API's own: check that base_url ends in /api/v1"),
        (Fault.body(b"", status=407), 6, "the proxy wants a user name and a password"),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else None,
)
def test_an_answer_that_is_not_the_apis_says_what_to_do(cli, api, fault, code, said):
    api.faults.add(fault)
    ran = cli("list", "--limit", "1")
    assert ran.code == code
    assert said in ran.err
    assert "belong to the same environment" not in ran.err


@pytest.mark.parametrize(
    ("proxy", "shown"),
    [
        (f"http://jane:{PASSWORD}@proxy:3128", "http://proxy:3128"),
        (f"http://jane:{PASSWORD}@@proxy:3128", "http://proxy:3128"),
        ("http://proxy:3128", "http://proxy:3128"),
        (f"jane:{PASSWORD}@proxy", "proxy"),
    ],
)
def test_the_command_that_resumes_shows_no_password(proxy, shown):
    assert without_password(proxy) == shown
