"""`export` that is interrupted: what it says then is a command that goes on from there."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest
from cli.forked import PROGRAM

from persona_cases.cli.screen.resume_command import called_as, how_to_resume
from persona_cases.testing import Fault

NOTHING = "no progress saved: an export to stdout, or with --sort or --limit, cannot be resumed"


def ids_of(path):
    return [msgspec.json.decode(line)["id"] for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize(
    ("program", "number"),
    [([PROGRAM], signal.SIGINT), ([sys.executable, "-W", "error", "-m", "persona_cases"], signal.SIGTERM)],
)
def test_the_command_that_is_printed_goes_on(api, tmp_path, program, number):
    path = tmp_path / "it's all.jsonl"
    where = ("--where", "status != 'it\\'s $HOME `id`'", "--where", "created_at < '2100-01-01'")
    hanging = api.faults.add(Fault.delay(1e9), path="/cases/search", nth=3)
    started = subprocess.Popen(
        [*program, "export", "--restart", *where, "-o", str(path), "--max-wait=60", "-v"],
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 600
    while not hanging.fired and time.monotonic() < deadline:
        time.sleep(0.01)
    started.send_signal(number)
    _, err = started.communicate(timeout=600)
    assert started.returncode == 128 + number
    assert "Traceback" not in err
    assert api.api_key not in err
    kept, command = (line for line in err.splitlines() if "saved" in line or "export" in line)
    assert kept == "progress saved. Resume with the command below, or add --restart to start over:"
    assert "--restart" not in command
    assert command.count("--where") == 2
    assert not path.exists()
    api.faults.clear()
    ran = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=600, check=True)
    assert "resumed the snapshot of " in ran.stderr
    assert sorted(ids_of(path)) == sorted(api.store.cases)
    assert list(tmp_path.iterdir()) == [path]


def test_it_goes_on_with_a_simulator_of_its_own_too(start, cli, tmp_path):
    path = tmp_path / "x.jsonl"
    started = start("export", "--simulator", "--cases", "3000", "-o", str(path), "--only", "status")
    deadline = time.monotonic() + 600
    while not (tmp_path / ".x.jsonl.export" / "checkpoint.jsonl").exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    started.send_signal(signal.SIGINT)
    assert started.wait() == 130
    _, command, _ = started.err.splitlines()
    assert cli(*shlex.split(command)[1:]).code == 0
    assert len(set(ids_of(path))) == len(ids_of(path)) == 3000


@pytest.mark.parametrize(
    "asked", [["-o", "-"], ["-o", "x.jsonl", "--limit", "290"], ["-o", "x", "--sort", "status:asc"]]
)
@pytest.mark.parametrize(("number", "last"), [(signal.SIGINT, ["interrupted"]), (signal.SIGTERM, [])])
def test_a_walk_in_order_says_that_nothing_is_kept(interrupted, api, tmp_path, asked, number, last):
    assert interrupted(api, "export", *asked, number=number, cwd=tmp_path) == [NOTHING, *last]
    assert list(tmp_path.iterdir()) == []


def test_an_export_without_a_page_says_that_nothing_is_kept_yet(interrupted, api, tmp_path):
    said = interrupted(api, "export", "-o", "x.jsonl", at=1, cwd=tmp_path)
    assert said == ["no progress saved yet", "interrupted"]
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_was_refused_does_not_speak_of_anothers_cases(cli, api, tmp_path):
    path = str(tmp_path / "x.jsonl")
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    assert cli("export", "-o", path).code == 6
    api.faults.clear()
    ran = cli("export", "--where", "status == 'open'", "-o", path)
    assert ran.code == 2
    assert ran.err.startswith("error: ")
    assert "saved" not in ran.err


def test_a_command_that_can_not_be_shown_is_described(cli, api, tmp_path):
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    ran = cli("export", "-o", str(tmp_path / "bell\x07.jsonl"))
    assert ran.code == 6
    assert ran.err.startswith(f"{how_to_resume(None, from_stdin=False)}\nerror: ")
    assert "\x07" not in ran.err


def test_a_query_from_stdin_is_needed_again(process, api, tmp_path):
    api.faults.add(Fault.status(409), path="/cases/search", nth=3)
    query = b'{"not": {"attribute": "status", "operator": "eq", "value": "x"}}'
    path = tmp_path / "x.jsonl"
    ran = process("export", "--query-json", "-", "-o", str(path), stdin=query)
    assert ran.code == 6
    kept, command, *_ = ran.err.splitlines()
    assert ", with the same query on stdin, " in kept
    api.faults.clear()
    assert process(*shlex.split(command)[1:], stdin=query).code == 0
    assert len(ids_of(path)) == len(api.store.cases)


@pytest.mark.parametrize(
    ("argv", "original", "called"),
    [
        (
            ["/x/persona_cases/__main__.py", "export"],
            ["py", "-m", "persona_cases", "export"],
            ["py", "-m", "persona_cases"],
        ),
        (
            ["/x/persona_cases/__main__.py"],
            ["/v/bin/python3", "-I", "-m", "persona_cases"],
            ["/v/bin/python3", "-I", "-m", "persona_cases"],
        ),
        (
            ["/elsewhere/persona-cases", "export"],
            ["py", "/elsewhere/persona-cases", "export"],
            ["/elsewhere/persona-cases"],
        ),
        (["/x/other/__main__.py", "a"], ["py", "-m", "other", "a"], ["persona-cases"]),
    ],
)
def test_the_program_is_called_as_it_was(argv, original, called):
    assert called_as(argv, original) == called


def test_a_program_on_the_path_is_called_by_its_name(monkeypatch):
    monkeypatch.setenv("PATH", str(Path(PROGRAM).parent), prepend=os.pathsep)
    assert called_as([PROGRAM, "export"], [sys.executable, PROGRAM, "export"]) == ["persona-cases"]


def test_the_report_can_be_json_on_the_last_line(process, api, tmp_path):
    path = tmp_path / "x.csv"
    ran = process("export", "-o", str(path), "--report", "json", "-v")
    report = msgspec.json.decode(ran.err.splitlines()[-1])
    assert (report["cases"], report["size"]) == (len(api.store.cases), path.stat().st_size)
    assert (report["requests"], report["refused"], report["resumed"]) == (len(api.requests), 0, False)


def test_the_report_of_an_export_to_stdout_has_its_requests(cli, api):
    ran = cli("export", "-o", "-", "--limit", "150", "--report", "json")
    report = msgspec.json.decode(ran.err)
    assert len(ran.ids) == report["cases"] == 150
    assert (report["requests"], report["fetchers"]) == (len(api.requests), [2]) == (2, [2])
