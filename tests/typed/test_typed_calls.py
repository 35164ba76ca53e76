"""Generated classes and the client, against the simulator's templates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest
from codegen.our_templates import FIELDS, load, source, template

from persona_cases import InvalidArgumentError, Q, QueryTypeError
from persona_cases.export import columns_from
from persona_cases.testing import Simulator


@pytest.fixture
async def simulator():
    async with Simulator(cases=120, seed=3) as running:
        yield running


@pytest.fixture
async def theirs(simulator):
    """The templates of the simulator, and the module that is generated from them."""
    async with simulator.client() as persona:
        templates = [await persona.case_templates.get(id) for id in simulator.store.templates]
    names = {each.name.split()[0] + "Case": each.id for each in templates}
    return load(source(*templates, **names)), templates


@pytest.fixture
async def persona(simulator):
    async with simulator.client() as client:
        yield client


async def test_every_simulated_case_is_read(theirs, persona):
    module, templates = theirs
    read = 0
    for each in templates:
        typed = getattr(module, each.name.split()[0] + "Case")
        async for case in persona.cases.search(typed.cases):
            shown = typed.of(case)
            read += 1
            for name, field in typed.__fields__.items():
                assert (
                    field.value_type.write(getattr(shown, name), name, strict=True)
                    == case.fields[field.declaration.key]
                )
    assert read == 120


async def test_a_typed_search_finds_what_the_values_say(theirs, persona):
    kyc = theirs[0].KYCCase
    where = kyc.cases & kyc.risk_score.gt(50) & kyc.priority.in_(["medium", "high"]) & Q.status.eq("open")
    found = [kyc.of(case) async for case in persona.cases.search(where)]
    assert found
    assert all(each.risk_score > 50 and each.priority in {"medium", "high"} for each in found)


async def test_a_typed_case_is_created_and_changed(theirs, persona):
    kyc = theirs[0].KYCCase
    day = date(2027, 1, 31)
    created = await persona.cases.create(
        kyc(priority="high", document_expiry=day, risk_tags=["age"]),
        sla_expires_in=3600,
        only=["fields", "case_template"],
    )
    shown = kyc.of(created)
    assert (shown.priority, shown.document_expiry, shown.risk_tags, shown.notes) == ("high", day, ("age",), None)
    changed = await persona.cases.update(created, fields=kyc.changes(document_expiry=None, notes="Phoned."))
    assert (kyc.of(changed).document_expiry, kyc.of(changed).notes) == (None, "Phoned.")


REFUSED: list[tuple[Callable[..., object], str]] = [
    (lambda kyc: kyc(priority=None), "KYC: the template requires priority: give a value"),
    (lambda kyc: kyc(priority="hihg"), "KYC.priority must be one of 'low', 'medium', 'high', 'urgent'"),
    (lambda kyc: kyc(priority="low", old="a"), "KYC.old takes no value: the template has archived it"),
    (lambda kyc: kyc(priority="low", paused="a"), "KYC.paused takes no value: the template has deactivated it"),
]


@pytest.mark.parametrize(("make", "words"), REFUSED)
async def test_what_the_template_does_not_allow_is_not_sent(simulator, persona, make, words):
    sent = len(simulator.requests)
    with pytest.raises(InvalidArgumentError, match=words):
        await persona.cases.create(make(load(source(template(*FIELDS))).KYC))
    assert len(simulator.requests) == sent


async def test_a_typed_case_has_its_fields_already(theirs, persona):
    with pytest.raises(InvalidArgumentError, match="leave this out"):
        await persona.cases.create(theirs[0].KYCCase(), fields={"priority": "low"})


async def test_a_class_in_the_place_of_a_value_is_told(theirs, persona):
    kyc = theirs[0].KYCCase
    with pytest.raises(InvalidArgumentError, match="must not be a class: make an object"):
        await persona.cases.create(kyc)
    with pytest.raises(QueryTypeError, match="the clause of a generated class is KYCCase.cases"):
        persona.cases.search(kyc)
    with pytest.raises(InvalidArgumentError, match="what `changes` of a generated class returns"):
        await persona.cases.update("case_1", fields=kyc(notes="a"))


async def test_exports_take_a_class_as_columns(theirs, persona, tmp_path):
    module, templates = theirs
    kyc, declared = module.KYCCase, columns_from(templates[0], settled=True)
    await persona.cases.export(kyc.cases, to=tmp_path / "typed.csv", columns=kyc)
    await persona.cases.export(kyc.cases, to=tmp_path / "plain.csv", columns=declared)
    assert (tmp_path / "typed.csv").read_bytes() == (tmp_path / "plain.csv").read_bytes()
    assert json.dumps([column.name for column in declared]).count("fields.") == len(kyc.__fields__)
    with pytest.raises(InvalidArgumentError, match="or be a generated class"):
        await persona.cases.export(kyc.cases, to=tmp_path / "bad.csv", columns=dict)  # type: ignore[arg-type]


async def test_arrow_tables_take_a_class_as_columns(theirs, persona):
    pytest.importorskip("pyarrow", reason="Arrow tables need the extra parquet")
    kyc = theirs[0].KYCCase
    table = await persona.cases.search(kyc.cases).limit(3).to_arrow(columns=kyc)
    empty = await persona.cases.search(kyc.cases & kyc.risk_score.gt(1000)).to_arrow(columns=kyc)
    assert (table.num_rows, empty.num_rows) == (3, 0)
    assert table.schema == empty.schema
    assert str(table.schema.field("fields.document_expiry").type) == "date32[day]"
