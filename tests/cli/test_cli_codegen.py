"""`codegen`: modules of typed classes, and whether they still fit their templates."""

from __future__ import annotations

import io
import json
import sys

import pytest

from persona_cases.testing import FieldSpec


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def imported(path):
    namespace = {"__name__": path.stem}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec", dont_inherit=True), namespace)
    return namespace


def test_a_module_is_written_checked_and_kept(cli, api, here):
    kyc, aml = (api.store.template(prefix) for prefix in ("KYC", "AML"))
    ran = cli("codegen", f"KYC={kyc.id}", aml.id, "-o", "our_cases.py")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.splitlines() == [
        f"KYC: added, from {kyc.id}",
        f"AMLAlert: added, from {aml.id}",
        "wrote our_cases.py",
    ]
    module = imported(here / "our_cases.py")
    assert str(module["KYC"].cases) == f"template == '{kyc.id}'"
    text = (here / "our_cases.py").read_bytes()
    assert b"\r" not in text
    assert kyc.id.encode() in text
    # Templates and names are known from the file now.
    for again in (("codegen", "-o", "our_cases.py"), ("codegen", "--check", "-o", "our_cases.py")):
        ran = cli(*again)
        assert (ran.code, ran.out, ran.err) == (0, b"", "our_cases.py is up to date\n")
    assert (here / "our_cases.py").read_bytes() == text
    assert [path.name for path in here.iterdir()] == ["our_cases.py"]


def test_a_check_says_what_has_changed(cli, api, here):
    kyc = api.store.template("KYC")
    assert cli("codegen", f"KYC={kyc.id}", "-o", "our_cases.py").code == 0
    text = (here / "our_cases.py").read_text(encoding="utf-8")
    old = text.replace("typed.IntegerField", "typed.NumberField").replace('"low", ', "").replace("address", "home")
    (here / "our_cases.py").write_text(old, encoding="utf-8")
    ran = cli("codegen", "--check", "-o", "our_cases.py")
    assert ran.code == 1
    assert ran.out.decode().splitlines() == [
        "KYC.priority: option 'low' added",
        "KYC.risk_score: type changed from number to integer",
        "KYC.risk_tags: option 'address' added",
        "KYC.risk_tags: option 'home' removed",
        "KYC.address: added (JSON)",
        "KYC.home: removed",
    ]
    assert ran.err == "our_cases.py is out of date: 6 changes. To update it, run the command without --check\n"
    assert (here / "our_cases.py").read_text(encoding="utf-8") == old
    ran = cli("codegen", "-o", "our_cases.py")
    assert ran.err.splitlines()[-1] == "wrote our_cases.py"
    assert (here / "our_cases.py").read_text(encoding="utf-8") == text


def test_another_layout_is_no_change(cli, api, here):
    assert cli("codegen", api.store.template("DOC").id, "-o", "our_cases.py").code == 0
    path = here / "our_cases.py"
    path.write_text(path.read_text(encoding="utf-8").replace("(\n    typed", "(typed"), encoding="utf-8")
    assert cli("codegen", "--check", "-o", "our_cases.py").code == 0


@pytest.mark.parametrize("form", ["json", "jsonl", "pretty"])
def test_what_the_template_command_prints_is_a_source(cli, api, here, form):
    template = api.store.template("CHB")
    (here / "template.json").write_bytes(cli("template", template.id, "--output", form).out)
    fetched = cli("codegen", template.id, "-o", "-").out
    # Nothing is sent, so no key is needed either.
    sent = len(api.requests)
    assert cli("codegen", "--from", "template.json", "-o", "-").out == fetched
    named = cli("codegen", "--from", "CHB=template.json", "-o", "-").out.decode()
    assert f'class CHB(typed.TypedCase, template="{template.id}"):' in named
    assert len(api.requests) == sent


def test_the_api_s_own_json_is_a_source_too(cli, here, monkeypatch):
    attributes = {"name": "KYC", "field-schemas": [{"type": "multi-choices", "key": "a", "label": None, "config": {}}]}
    document = json.dumps({"data": {"type": "case-template", "id": "ctmpl_1", "attributes": attributes}})
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(document.encode())))
    ran = cli("codegen", "--from", "-", "-o", "our_cases.py")
    assert ran.code == 0
    assert "a: typed.MultiChoiceField[str]" in (here / "our_cases.py").read_text(encoding="utf-8")


def test_the_simulator_has_templates_without_ids(cli, here):
    assert cli("codegen", "--simulator", "-o", "our_cases.py").code == 0
    module = imported(here / "our_cases.py")
    assert {"KYCReview", "AMLAlert", "DocumentFraud", "BusinessOnboarding", "Chargeback"} <= module.keys()
    assert cli("codegen", "--simulator", "--check", "-o", "our_cases.py").code == 0


@pytest.mark.parametrize(
    ("argv", "code", "said"),
    [
        (("-o", "our_cases.py"), 2, "which templates? The API cannot list them: give their ids"),
        (("ctmpl_none", "-o", "our_cases.py"), 4, "Record not found"),
        (("--check", "-o", "our_cases.py"), 4, "--check: the file does not exist"),
        (("--check", "-o", "-"), 2, "--check compares the templates with a file"),
        (("--from", "none.json", "-o", "our_cases.py"), 2, "--from: cannot read the file: No such file or directory"),
        (("--from", "notes.txt", "-o", "our_cases.py"), 2, "it is not the JSON of a case template"),
        (("--from", "A=list.json", "-o", "our_cases.py"), 2, "a file with several templates takes no NAME"),
        (("class=ctmpl_1", "-o", "our_cases.py"), 2, "not a name in Python: write NAME=ID"),
        (("ctmpl_1", "-o", "notes.txt"), 2, "the file exists, and codegen did not make it: give another path"),
        (("ctmpl_1", "-o", "picture.png"), 2, "the file exists, and codegen did not make it: give another path"),
        (("ctmpl_1",), 2, "--output-file is missing"),
    ],
)
def test_what_cannot_be_generated(cli, api, here, argv, code, said):
    (here / "notes.txt").write_text("remember the milk", encoding="utf-8")
    (here / "picture.png").write_bytes(b"\x89PNG\xff")
    (here / "list.json").write_text("[{}, {}]", encoding="utf-8")
    ran = cli("codegen", *argv)
    assert ran.code == code
    assert said in ran.err
    assert "milk" not in ran.err
    assert not (here / "our_cases.py").exists()


def test_a_template_that_is_gone_is_told(cli, api, here):
    template = api.store.template("DOC")
    assert cli("codegen", template.id, "-o", "our_cases.py").code == 0
    text = (here / "our_cases.py").read_text(encoding="utf-8")
    (here / "our_cases.py").write_text(text.replace(template.id, "ctmpl_gone"), encoding="utf-8")
    assert cli("codegen", "--check", "-o", "our_cases.py").code == 4


def test_two_templates_of_one_name_get_two_classes(cli, api, here):
    ids = [api.store.template(prefix).id for prefix in ("DOC", "CHB")]
    assert cli("codegen", *(f"K={id}" for id in ids), "-o", "our_cases.py").code == 2
    assert cli("codegen", ids[0], ids[0], "-o", "our_cases.py").code == 2


def test_fields_of_your_own_templates_are_there(cli, api, here):
    field = FieldSpec("due_on", "date", "Due on")
    template = api.store.template("DOC")
    api.store.add_template(type(template)("ctmpl_loan", "LOAN", "Loan", "open", (), ("paid",), (field,), ()))
    assert cli("codegen", "ctmpl_loan", "-o", "our_cases.py").code == 0
    assert imported(here / "our_cases.py")["Loan"].due_on.word == "date"
