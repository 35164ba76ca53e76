"""The program itself: help, examples, missing extras, imports, and the simulator as a process."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from persona_cases import __version__
from persona_cases.cli.app import make_program
from persona_cases.cli.examples import EXAMPLES, PROGRAM
from persona_cases.cli.exits import ExitCode
from persona_cases.cli.options.option_groups import Server
from persona_cases.testing import Simulator

RUNNABLE = [example for command, examples in EXAMPLES.items() if command != "simulator" for example in examples]
READY = re.compile(r"simulator ready: PERSONA_BASE_URL=(\S+) PERSONA_API_KEY=(\S+)\n")


@pytest.mark.parametrize("example", [example for example in RUNNABLE if "|" not in example])
def test_the_examples_work_as_they_are(cli, example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = example.splitlines()
    variables = dict(line.split("=", 1) for line in lines if not line.startswith(PROGRAM))
    for line in lines[len(variables) :]:
        program, *argv = (variables.get(word.removeprefix("$"), word) for word in shlex.split(line))
        assert program == PROGRAM
        ran = cli(*argv)
        assert ran.code == 0, ran.err
        assert ran.out or list(tmp_path.iterdir())


@pytest.mark.parametrize("example", [example for example in RUNNABLE if "|" in example])
def test_the_examples_work_in_a_shell(example, tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    ran = subprocess.run(
        f"set -e\n{example}",
        shell=True,
        cwd=tmp_path,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout or list(tmp_path.iterdir())


@pytest.mark.parametrize("command", list(EXAMPLES))
def test_help_shows_the_examples_in_one_piece(cli, monkeypatch, command):
    monkeypatch.setenv("COLUMNS", "80")
    ran = cli(*command.split(), "--help")
    assert ran.code == 0
    shown = [line.strip() for line in ran.out.decode().splitlines()]
    for example in EXAMPLES[command]:
        assert set(example.splitlines()) <= set(shown)


def test_help_lists_every_command_in_its_group(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shown = cli("--help").out.decode()
    groups = re.findall(r"^([A-Z][\w ]+):$(.*?)^$", shown, re.MULTILINE | re.DOTALL)
    listed = {title: re.findall(r"^  ([a-z]+)  ", body, re.MULTILINE) for title, body in groups}
    assert list(listed) == ["Read", "Change", "Develop", "Try out", "Options"]
    assert {name for names in listed.values() for name in names} == {command.split()[0] for command in EXAMPLES}
    assert {"search", "download", "limits"} <= set(listed["Read"])
    assert {"create", "redact", "tag", "objects"} <= set(listed["Change"])


@pytest.mark.parametrize("group", ["tag", "objects"])
def test_help_of_a_group_lists_its_commands(cli, group):
    ran = cli(group, "--help")
    assert ran.code == 0
    for command in EXAMPLES:
        if command.startswith(f"{group} "):
            assert command.split()[1] in ran.out.decode()


def test_a_simulator_has_the_settings_of_the_library():
    theirs = inspect.signature(Simulator).parameters
    own = {"cases", "port", "rate_limit", "case_quota"}
    for setting in attrs.fields(Server):
        assert setting.name in theirs
        assert setting.name in own or setting.default == theirs[setting.name].default


def test_help_tells_the_exit_codes(cli):
    ran = cli("--help")
    assert ran.code == 0
    shown = [line.split(maxsplit=1) for line in ran.out.decode().splitlines() if line.strip()]
    assert all([str(code.value), code.meaning] in shown for code in ExitCode)


def test_the_page_tells_the_same_exit_codes():
    page = (Path(__file__).parents[2] / "docs" / "command-line.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", page, re.MULTILINE)
    assert rows == [(str(code.value), code.meaning) for code in ExitCode]


def test_the_version_is_the_packages(cli):
    assert cli("--version").out.decode() == f"persona-cases {__version__}\n"


def test_the_list_of_commands_says_what_the_commands_say(cli):
    for path, deferred in deferred_commands():
        first_line = deferred.load().help.partition("\n")[0]
        assert deferred.help == first_line, path


def deferred_commands(group=None, path=()):
    for name, deferred in (group or make_program()).commands.items():
        yield (*path, name), deferred
        loaded = deferred.load()
        if hasattr(loaded, "commands"):
            yield from deferred_commands(loaded, (*path, name))


@pytest.mark.parametrize(
    ("argv", "environment"),
    [
        (["--help"], {}),
        (["tag", "--help"], {}),
        (["--version"], {}),
        (["export", "--help"], {}),
        (["search", "--help"], {}),
        ([], {"_PERSONA_CASES_COMPLETE": "complete_bash", "COMP_WORDS": "persona-cases ex", "COMP_CWORD": "1"}),
    ],
    ids=["help", "help of a group", "version", "help of export", "help of search", "completion"],
)
def test_what_runs_no_command_loads_little(argv, environment):
    program = (
        "import atexit, sys\n"
        "from persona_cases.cli import main\n"
        "def check():\n"
        "    ours = [name for name in sys.modules if name.startswith('persona_cases')]\n"
        "    heavy = {'aiohttp', 'asyncio', 'cattrs', 'msgspec', 'pyarrow', 'rich.markdown', 'persona_cases.client',\n"
        "             'persona_cases.models', 'persona_cases.query', 'persona_cases.testing'} & set(sys.modules)\n"
        "    print(len(ours), *sorted(heavy), file=sys.stderr)\n"
        "atexit.register(check)\n"
        f"sys.exit(main({argv!r}))\n"
    )
    env = os.environ | environment
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False, env=env
    )
    loaded, *heavy = ran.stderr.split()
    assert ran.returncode == 0
    assert ran.stdout
    assert heavy == []
    assert int(loaded) <= 22


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_a_missing_extra_is_said_in_one_line(missing):
    program = (
        f"import sys; sys.modules[{missing!r}] = None; from persona_cases.cli import main; sys.exit(main(['list']))"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert ran.returncode != 0
    assert (ran.stdout, ran.stderr.count("\n")) == ("", 1)
    assert "pip install 'persona-cases[cli]'" in ran.stderr


def test_a_module_of_ours_that_is_missing_is_no_missing_extra():
    program = "import sys; sys.modules['persona_cases.cli.app'] = None; from persona_cases.cli import main; main([])"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=600, check=False)
    assert "ModuleNotFoundError" in ran.stderr


@pytest.fixture
def server(start):
    """Start `persona-cases simulator`; returns it, its address and its key."""

    def begin(*argv):
        started = start("simulator", "--port", "0", *argv)
        started.wait_for(b"\n")
        ready = READY.fullmatch(started.out.decode())
        assert ready is not None
        return started, ready[1], ready[2]

    return begin


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_simulator_serves_other_processes_until_it_is_told_to_stop(cli, monkeypatch, records, server, number):
    started, address, key = server("--cases", "150", "--seed", "6", "--api-key", "made_up", "--rate-limit", "off")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/api/v1", address)
    assert key == "made_up"
    monkeypatch.setenv("PERSONA_API_KEY", key)
    ran = cli("list", "--base-url", address)
    assert sorted(ran.ids) == sorted(record.id for record in records(cases=150, seed=6))
    started.send_signal(number)
    assert (started.wait(), started.out.count(b"\n"), started.err) == (0, 1, "")


def test_the_settings_of_a_simulator_reach_it(cli, monkeypatch, server):
    _, address, key = server("--cases", "500", "--rate-limit", "2/60", "--host", "localhost")
    monkeypatch.setenv("PERSONA_API_KEY", key)
    ran = cli("list", "--max-wait", "1", "--base-url", address)
    assert (ran.code, len(ran.ids)) == (5, 200)


def test_a_taken_port_is_said_in_one_line(cli):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ran = cli("simulator", "--cases", "1", "--port", str(taken.getsockname()[1]))
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("error: port: 127.0.0.1:")
    assert ran.err.count("\n") == 1


def test_a_bad_rate_limit_is_said_in_one_line(cli):
    ran = cli("simulator", "--cases", "1", "--rate-limit", "many")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert "'300/60'" in ran.err
