import hashlib
import itertools
from datetime import UTC, datetime

import msgspec
import pytest

from persona_cases.errors import InvalidArgumentError
from persona_cases.testing import DEFAULT_EPOCH, CaseFactory
from persona_cases.testing.world.catalog import TEMPLATES

DIGEST = "78f646dc2405311288ca47a851939338c2b1fd83845a05b9a55781ed08e5581b"


def digest(cases):
    return hashlib.sha256(b"\n".join(map(msgspec.json.encode, cases))).hexdigest()


def test_the_same_seed_gives_the_same_cases_on_every_version_of_python():
    assert digest(CaseFactory(200, 7)) == DIGEST


def test_other_seeds_give_other_cases():
    assert digest(CaseFactory(50, 1)) == digest(CaseFactory(50, 1)) != digest(CaseFactory(50, 2))


@pytest.fixture(scope="module")
def cases():
    return list(CaseFactory(1000, 7))


def test_times_rise_within_two_years_before_the_epoch(cases):
    times = [case.created_at for case in cases]
    assert times == sorted(times)
    assert times[0] >= "2024-01-02"
    assert times[-1] < "2026-01-01"
    assert all(len(time) == len("2026-01-01T00:00:00.000Z") for time in times)
    for case in cases:
        for later in (case.updated_at, case.assigned_at, case.resolved_at):
            assert later is None or case.created_at <= later <= "2026-01-01T00:00:00.000Z"


def test_some_times_are_equal_and_most_are_not(cases):
    equal = sum(one.created_at == two.created_at for one, two in itertools.pairwise(cases))
    assert 5 <= equal <= 50


def test_the_later_the_busier(cases):
    first_year = sum(case.created_at < "2025-01-01" for case in cases)
    assert first_year < len(cases) / 2


def test_ids_and_names_are_unique_and_shaped_like_the_vendors(cases):
    assert len({case.id for case in cases}) == len({case.name for case in cases}) == len(cases)
    for case in cases:
        prefix, _, rest = case.id.partition("_")
        assert (prefix, len(rest)) == ("case", 24)
        assert rest.isalnum()
    assert "KYC-17" in {case.name for case in cases}


def test_templates_statuses_and_fields_fit_together(cases):
    templates = {template.id: template for template in TEMPLATES}
    assert {case.template_id for case in cases} == templates.keys()
    for case in cases:
        template = templates[case.template_id]
        assert case.status in {template.initial, *template.intermediate, *template.end}
        assert case.fields.keys() == {spec.key for spec in template.fields}
        assert (case.resolved_at is not None) == (case.status in template.end)
        assert (case.resolution is not None) == (case.status in template.end)
        assert case.queue_id in {None, *(queue.id for queue in template.queues)}


def test_there_is_something_of_everything(cases):
    values = [field for case in cases for field in case.fields.values()]
    types = {field["type"] for field in values}
    assert types == {"boolean", "choices", "date", "hash", "integer", "multi_choices", "number", "string"}
    assert any(field["value"] is None for field in values)
    assert {case.fields["priority"]["value"] for case in cases if "priority" in case.fields} == {
        "low",
        "medium",
        "high",
        None,
    }
    assert {"open", "pending", "approved", "declined"} <= {case.status for case in cases}
    for name in ("tags", "attachments", "comments", "accounts", "inquiries", "reports", "verifications", "txns"):
        assert any(getattr(case, name) for case in cases), name
        assert not all(getattr(case, name) for case in cases), name


def test_all_addresses_are_under_example_com(cases):
    text = msgspec.json.encode(cases).decode()
    domains = {part.split('"')[0].split("/")[0] for part in text.replace("@", "://").split("://")[1:]}
    assert all(domain.endswith("example.com") for domain in domains), domains


def test_the_epoch_can_be_chosen():
    (case,) = CaseFactory(1, epoch=datetime(2030, 6, 1, tzinfo=UTC))
    assert "2028-06" <= case.created_at < "2030-06-01"
    assert DEFAULT_EPOCH == datetime(2026, 1, 1, tzinfo=UTC)


def test_no_cases_are_a_possible_number():
    assert list(CaseFactory(0)) == []


@pytest.mark.parametrize("settings", [{"cases": -1}, {"cases": 1, "epoch": datetime(2026, 1, 1)}])
def test_impossible_settings_are_refused(settings):
    with pytest.raises(InvalidArgumentError):
        CaseFactory(**settings)
