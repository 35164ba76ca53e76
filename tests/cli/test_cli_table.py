"""Tables and other output for people."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import msgspec
import pytest
from rich.console import Console

from persona_cases.cli.screen.table import CaseTable
from persona_cases.cli.screen.table_cells import cell
from persona_cases.cli.screen.terminal import escaped, visible
from persona_cases.models import Case

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def case(number: int, *, status: str = "open", **attributes: object) -> Case:
    return Case.from_dict({"type": "case", "id": f"case_{number:024}", "attributes": {"status": status, **attributes}})


def printed(*pages: list[Case], width: int = 80, columns: list[str] | None = None) -> list[str]:
    screen = io.StringIO()
    table = CaseTable(Console(file=screen, width=width), columns)
    for page in pages:
        table.write(page)
    table.finish()
    return [line.rstrip() for line in screen.getvalue().splitlines()]


def test_a_table_on_a_terminal_fits_it_and_shows_whole_ids(on_terminal, cli):
    ran = on_terminal("list", "--simulator", "--limit", "150")
    text = ESCAPES.sub("", ran.out.decode())
    lines = text.splitlines()
    assert ran.code == 0
    assert lines[0].split() == ["id", "status", "name", "created_at"]
    assert all(len(line) <= 80 for line in lines)
    shown = [line.split()[0] for line in lines if line.startswith("case_")]
    assert shown == cli("list", "--simulator", "--limit", "150").ids
    assert lines[-1] == "150 cases"
    assert ESCAPES.search(ran.out.decode())


def test_no_color_is_respected(on_terminal):
    ran = on_terminal("list", "--simulator", "--limit", "2", NO_COLOR="1")
    assert b"\x1b[36m" not in ran.out
    assert b"\x1b[36m" in on_terminal("list", "--simulator", "--limit", "2").out


def test_a_table_can_be_written_in_any_encoding():
    ran = subprocess.run(
        [sys.executable, "-m", "persona_cases", "list", "--simulator", "--limit", "20", "--output", "table"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "COLUMNS": "50"},
        capture_output=True,
        timeout=600,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.isascii()


def test_get_on_a_terminal_is_readable_json(on_terminal, records):
    wanted = records(cases=10)[3].id
    ran = on_terminal("get", "--simulator", "--cases", "10", wanted, NO_COLOR="1", TERM="dumb")
    assert b'\n  "id": "' in ran.out
    assert msgspec.json.decode(ran.out)["id"] == wanted


def test_no_case_is_an_empty_table_and_a_word_about_it(on_terminal, cli):
    none = ("search", "--simulator", "--where", "status == 'nope'")
    assert on_terminal(*none).out == b"0 cases\n"
    assert cli(*none, "--output", "table").out == b""


def test_pages_of_one_table_line_up():
    lines = printed([case(1, name="KYC-1"), case(2)], [case(3, name="KYC-1000000", status="a long status")])
    header, rule, first, _, last = lines
    assert set(rule) == {"─"}
    assert first.index("KYC-1") == last.index("KYC") == header.index("name")
    assert "…" in last


def test_as_many_columns_as_fit_are_shown():
    cases = [case(1, name="KYC-1", created_at="2025-12-31T17:19:31.435Z", assignee_id="a@example.com", tags=["vip"])]
    assert printed(cases, width=200)[0].split() == [
        "id",
        "status",
        "name",
        "created_at",
        "updated_at",
        "assignee_id",
        "tags",
        "resolution",
    ]
    assert printed(cases, width=60)[0].split() == ["id", "status", "name"]
    assert printed(cases, width=10)[0].split() == ["id"]
    assert "".join(printed(cases, width=10)[2:]) == cases[0].id


def test_the_columns_that_were_asked_for_are_all_shown():
    long = case(1, tags=["x" * 60, "y"], fields={"note": {"type": "string", "value": "z" * 60}})
    header, _, row = printed([long], columns=["tags", "fields.note"])
    assert header.split() == ["id", "tags", "fields.note"]
    assert row.split()[0] == long.id
    assert (row.count("…"), len(row) <= 80) == (2, True)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        ("2025-12-31T17:19:31.435Z", "2025-12-31 17:19Z"),
        ("2025-12-31", "2025-12-31"),
        (["a", "b"], "a, b"),
        ([], ""),
        (True, "true"),
        (1.50, "1.5"),
        ({"city": "Espoo"}, '{"city":"Espoo"}'),
        ("[red]not markup[/red]", "[red]not markup[/red]"),
    ],
)
def test_values_are_shown_in_short(value, shown):
    assert cell({"attributes": {"x": value}}, "x") == shown
    assert cell({"attributes": {"fields": {"x": {"type": "any", "value": value}}}}, "fields.x") == shown


def test_what_is_related_is_shown_by_its_id():
    one, two = {"type": "account", "id": "act_1"}, {"type": "account", "id": "act_2"}
    document = {"id": "case_1", "relationships": {"accounts": {"data": [one, two]}, "case_queue": {"data": None}}}
    assert [cell(document, name) for name in ("id", "accounts", "case_queue", "inquiries")] == [
        "case_1",
        "act_1, act_2",
        "",
        "",
    ]


def test_nothing_in_a_case_can_control_the_terminal():
    lines = printed([case(1, status="\x1b[2J\x07[bold]x\n\u202ey")])
    assert "\x1b" not in "".join(lines)
    assert "␛[2J␇[bold]x␊�y" in lines[2]
    assert escaped('{\n"a": "\x9b2J\x7f"}') == '{\n"a": "\\u009b2J\\u007f"}'
    assert visible("plain ünïcode 例") == "plain ünïcode 例"
