"""Nothing on a command line is dropped: over all options of all commands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest

from persona_cases.cli.app import make_program
from persona_cases.cli.options.strictness import parameter_name, takes_several

SECRET = "Sheila Miller"


def commands(group=None, path=()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command with the words that call it."""
    for name, deferred in (group or make_program()).commands.items():
        command = deferred.load()
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


COMMANDS = dict(commands())


def parameters(kind):
    """Every parameter of a kind, with the words that call its command."""
    for path, command in COMMANDS.items():
        for parameter in command.params:
            if parameter.param_type_name == kind:
                yield pytest.param(path, parameter, id=f"{' '.join(path)} {parameter_name(parameter)}")


OPTIONS = list(parameters("option"))


def is_flag(parameter):
    return getattr(parameter, "is_flag", False)


def is_text(parameter):
    return not {"PATH", "DIR", "@FILE"} & set((parameter.metavar or "").split("|"))


def given(parameter, text):
    return [parameter_name(parameter)] if is_flag(parameter) else [f"{parameter_name(parameter)}={text}"]


def needed(path, *, but):
    """What a command cannot do without, beside the parameter under test."""
    command = COMMANDS[path]
    for parameter in command.params:
        if not parameter.required or parameter.name == but.name:
            continue
        yield from ["x"] if parameter.param_type_name == "argument" else given(parameter, "x")


def test_the_tree_is_walked_to_its_leaves():
    assert {("search",), ("export",), ("tag", "set"), ("objects", "add"), ("simulator",)} <= set(COMMANDS)
    assert len(OPTIONS) > 150


@pytest.mark.parametrize(("path", "option"), OPTIONS)
def test_an_option_that_takes_one_value_is_refused_when_given_twice(cli, path, option):
    twice = [*given(option, "1"), *given(option, "2")]
    ran = cli(*path, *needed(path, but=option), *twice)
    refused = f"error: {parameter_name(option)} can be given only once: "
    if takes_several(option):
        assert refused not in ran.err
    else:
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err.startswith(refused)
        assert ran.err.count("\n") == 1


def test_those_that_may_be_given_again_are_known():
    several = {
        (" ".join(path), parameter_name(option))
        for path, option in (each.values for each in OPTIONS)
        if takes_several(option)
    }
    names = {"--where", "--field", "--field-json", "--object", "--attach", "--id", "--from", "--dirty"}
    assert {name for _, name in several} == names


@pytest.mark.parametrize("path", list(COMMANDS), ids=" ".join)
def test_an_empty_value_is_refused_by_name(cli, path):
    for parameter in COMMANDS[path].params:
        if is_flag(parameter) or parameter.name == "help":
            continue
        empty = [""] if parameter.param_type_name == "argument" else given(parameter, " ")
        ran = cli(*path, *needed(path, but=parameter), *empty)
        assert (ran.code, ran.out) == (2, b"")
        assert re.fullmatch(r"error: \S+ is empty: give a value(, or leave it out)?\n", ran.err)
        if not parameter.required and parameter.param_type_name == "option":
            assert ran.err.startswith(f"error: {parameter_name(parameter)} is empty")


@pytest.mark.parametrize("path", list(COMMANDS), ids=" ".join)
def test_text_that_is_not_utf_8_is_refused_by_name(cli, path):
    for option in COMMANDS[path].params:
        if option.param_type_name == "argument" or is_flag(option) or not is_text(option):
            continue
        ran = cli(*path, *needed(path, but=option), *given(option, f"{SECRET}\udcff"))
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err == f"error: {parameter_name(option)} must be UTF-8 text\n"


def test_help_is_shown_whatever_stands_beside_it(cli):
    ran = cli("list", "--status", "a", "--status", "b", "--help")
    assert (ran.code, ran.err) == (0, "")
    assert b"Usage" in ran.out


def test_conditions_that_are_given_again_must_all_hold(cli):
    asked = ("search", "--simulator", "--only", "status,fields.priority")
    first, second = "status == 'open' or status == 'pending'", "fields.priority == 'low'"
    both = cli(*asked, "--where", first, "--where", second)
    assert both.code == 0
    assert 0 < len(both.cases) < len(cli(*asked, "--where", first).cases)
    assert both.out == cli(*asked, "--where", f"({first}) and {second}").out
    assert cli(*asked, "--where", second, "--where", first).ids == both.ids


def test_a_condition_that_cannot_be_read_is_blamed_wherever_it_stands(cli):
    ran = cli("search", "--where", "status == 'open'", "--where", "statuss == 'open'", "--explain")
    assert ran.code == 2
    assert ran.err.startswith("error: --where: column 1: ")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        # The words are typer's, whose versions differ.
        (["search", "--limit", SECRET], ("--limit must be a valid integer", "--limit is not a valid integer range")),
        (
            ["search", "--limit", "-1"],
            ("--limit must be greater than or equal to 0", "--limit is not in the range x>=0"),
        ),
        (["search", "--timeout", SECRET], ("--timeout must be a valid number", "--timeout is not a valid float")),
        (["search", "--output", SECRET], "--output must be one of 'table', 'pretty', 'json', 'jsonl'"),
        (["search", "--where"], "--where needs a value"),
        (["update", "case_1", "--attach", f"/{SECRET}"], "--attach names a file that does not exist"),
        (["update", "case_1", "--attach", "/"], "--attach names a file that is a directory"),
        (
            ["template", "ctmpl_1", "about", SECRET],
            "too many arguments: put quotes around a value that has spaces in it",
        ),
        (["comment", "case_1", f"--{SECRET}"], "there is no option of that name"),
        (["list", "--stattus", "open"], "there is no option --stattus: did you mean --status?"),
        (["export"], "--output-file is missing"),
        (["get"], "ID is missing"),
        (["redact", "case_1", "--yes=true"], "--yes takes no value: give --yes alone, or leave it out"),
        (["redact", "case_1", "--yes", "true"], "--yes takes no value: give --yes alone, or leave it out"),
        (["redact", "-y", "False", "case_1"], "-y takes no value: give -y alone, or leave it out"),
        (["serch"], "No such command 'serch'"),
    ],
)
def test_a_refusal_names_what_is_wrong_and_not_the_value(cli, argv, said):
    ran = cli(*argv)
    assert (ran.code, ran.out) == (2, b"")
    words = (said,) if isinstance(said, str) else said
    assert ran.err.startswith(tuple(f"error: {each}" for each in words))
    assert SECRET not in ran.err


WALKS = (["list"], ["search"], ["get", "case_1"], ["export", "-o", "x.csv"], ["export", "-o", "-"])


@pytest.mark.parametrize("argv", WALKS, ids=" ".join)
def test_an_attribute_that_cases_do_not_have_is_refused_with_the_nearest(cli, api, tmp_path, monkeypatch, argv):
    monkeypatch.chdir(tmp_path)
    for name, nearest in (("sla", "sla_expires_at"), ("assignee", "assignee_id"), ("statuss", "status")):
        ran = cli(*argv, "--only", f"status,{name}")
        assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
        assert ran.err.startswith(f"error: --only: cases have no attribute '{name}': did you mean '{nearest}'?")
        assert "newer than this library extra.<name>" in ran.err
    assert not list(tmp_path.iterdir())


def test_an_attribute_newer_than_the_library_is_loaded_by_its_prefix(cli, api):
    ran = cli("list", "--limit", "1", "--only", "status,extra.risk_band")
    assert ran.code == 0
    assert ("fields[case]", "status,risk_band") in parse_qsl(api.requests[-1].query)


def test_a_relationship_that_cases_do_not_have_is_refused_with_the_nearest(cli, api):
    ran = cli("get", "case_1", "--include", "acounts")
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert ran.err.startswith("error: --include: cases have no relationship 'acounts': did you mean 'accounts'?")


@pytest.mark.parametrize("argv", [["redact", "--help"], ["export", "--help"], ["tag", "--help"], ["--help"]])
def test_help_shows_no_value_beside_a_flag(cli, argv):
    ran = cli(*argv)
    assert ran.code == 0
    assert "bool" not in ran.out.decode().lower()
