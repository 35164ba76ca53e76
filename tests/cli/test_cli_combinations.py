"""Options that would have no effect together are refused, before the first request."""

from __future__ import annotations

import json

import pytest

from persona_cases.testing import Fault

EXPORT = ("export", "-o", "x.jsonl")
TABLE = ("export", "-o", "x.csv")
IN_ORDER = "error: --restart has no effect with -o -, --sort or --limit, which always start from the beginning"

REFUSED = [
    (("list", "--simulator", "--base-url", "https://x"), "error: give --simulator or --base-url, not both"),
    (("list", "--cases", "5"), "error: --cases and --seed describe a simulator: add --simulator"),
    (("limits", "--seed", "5"), "error: --cases and --seed describe a simulator: add --simulator"),
    (("search", "--explain", "--cases", "5"), "error: --cases and --seed describe a simulator: add --simulator"),
    (("list", "--after", "a", "--before", "b"), "error: give --after or --before, not both"),
    (("list", "--explain", "--output", "json"), "error: --explain prints no cases: leave out --output"),
    (("search", "--explain", "--output", "table"), "error: --explain prints no cases: leave out --output"),
    (("search", "--where", "status == 'open'", "--query-json", "{}"), "error: give --where or --query-json, not both"),
    (
        ("get", "case_1", "--include", "accounts", "--output", "table"),
        "error: a table does not show what --include loads",
    ),
    ((*EXPORT, "--restart", "--limit", "5"), IN_ORDER),
    ((*EXPORT, "--restart", "--sort", "created_at:asc"), IN_ORDER),
    (("export", "-o", "-", "--restart"), IN_ORDER),
    ((*EXPORT, "--resume-max-age", "1h", "--limit", "5"), "error: --resume-max-age has no effect with -o -, "),
    ((*EXPORT, "--resume-max-age", "1h", "--restart"), "error: --resume-max-age has no effect with --restart: leave "),
    ((*EXPORT, "--overwrite"), "error: --overwrite has no effect because only SQLite files need it"),
    (("export", "-o", "-", "--manifest"), "error: --manifest writes a second file beside the output: name it "),
    (("export", "-o", "-", "--overwrite"), "error: --overwrite has no effect because only SQLite files need it"),
    ((*EXPORT, "--consistency", "fresh", "--limit", "5"), "error: --consistency fresh is not possible with -o -, "),
    ((*EXPORT, "--columns-from", "ctmpl_1"), "error: --columns-from needs a table: choose csv, parquet or sqlite"),
    ((*EXPORT, "--column-style", "snake"), "error: --column-style needs a table: choose csv, parquet or sqlite"),
    ((*EXPORT, "--raw"), "error: --raw needs a table: choose csv, parquet or sqlite"),
    (
        (*TABLE, "--columns-from", "ctmpl_1", "--only", "status"),
        "error: --columns-from has no effect because --only names no custom field",
    ),
    ((*EXPORT, "--fail-on-missing"), "error: --fail-on-missing has no effect without --attachments: add it"),
    (
        ("export", "-o", "-", "--undecodable", "set_aside"),
        "error: --undecodable set_aside writes a second file beside ",
    ),
    (("export", "-o", "-", "--format", "sqlite"), "error: sqlite cannot be written to stdout: name a file with "),
    (("export", "-o", "x.sqlite", "--compression", "gzip"), "error: compression gzip is not possible: SQLite "),
    (("watch", "--interval", "90"), "error: --interval is longer than --max-interval: "),
    (("update", "case_1", "--queue", "q", "--no-queue"), "error: give --queue or --no-queue, not both"),
    (("update", "case_1", "--sla", "2h", "--no-sla"), "error: give --sla or --no-sla, not both"),
    (("tag", "set", "case_1", "urgent", "--none"), "error: give either the new tags, or --none "),
    (("tag", "set", "case_1", "--id", "tag_1", "--none"), "error: give either the new tags, or --none "),
]


@pytest.mark.parametrize(
    ("argv", "said"), REFUSED, ids=lambda value: " ".join(value) if isinstance(value, tuple) else ""
)
def test_options_without_effect_are_refused(cli, api, tmp_path, monkeypatch, argv, said):
    monkeypatch.chdir(tmp_path)
    ran = cli(*argv)
    assert (ran.code, ran.out, len(api.requests)) == (2, b"", 0)
    assert ran.err.startswith(said)
    assert ran.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("report", ["text", "json"])
def test_a_missing_attachment_fails_an_export_that_must_have_all(cli, api, tmp_path, report):
    lost = next(file for case in api.store.cases.values() for file in case.attachments)
    api.faults.add(Fault.status(404), path=f"/files/{lost.filename}")
    asked = ("export", "-o", str(tmp_path / "x.csv"), "--attachments", str(tmp_path / "files"), "--report", report)
    assert cli(*asked).code == 0
    ran = cli(*asked, "--fail-on-missing")
    assert ran.code == 4
    first, *_, last = ran.err.splitlines()
    assert first.startswith("error: ")
    assert first.endswith(" could not be found; everything else was exported")
    if report == "json":
        assert json.loads(last)["attachments"]["missing"] > 0
    assert lost.filename not in ran.err
    api.faults.clear()
    assert cli(*asked, "--fail-on-missing").code == 0
