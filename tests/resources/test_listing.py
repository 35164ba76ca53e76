"""`Listing`: filters, times and what is decided here find together what the expression finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from query.strategies import answerable, cases, predicates, trees

from persona_cases import InvalidArgumentError, Q, QueryError
from persona_cases.export import TimeRange
from persona_cases.models.decoding.raw_page import moment_of
from persona_cases.query import Comparison, Predicate
from persona_cases.query.matching import check_decidable
from persona_cases.resources.requests.list_filter import Listing

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)

# Few, and less than a millisecond apart, so that bounds and creation times often meet.
moments = st.integers(0, 8).map(lambda number: NOON + number * timedelta(microseconds=400))
written = moments.map(datetime.isoformat) | moments.map(lambda moment: moment.isoformat().replace("+00:00", "Z"))
times = st.builds(
    Comparison,
    st.just("created_at"),
    st.sampled_from(["eq", "gt", "gte", "lt", "lte"]),
    written | st.sampled_from(["2025-06-01", "2025-06-02"]),
)
filtered = st.builds(
    Comparison,
    st.sampled_from(["status", "template", "case_template_id", "account_id"]),
    st.just("eq"),
    st.sampled_from(["open", "low", "act_1", "", 1]),
)
decidable = trees(answerable | times | filtered, max_leaves=12) | st.lists(
    times | filtered | answerable, max_size=4
).map(Q.all_of)


@st.composite
def created_cases(draw):
    """A case as plain JSON, with the time of its creation, which all of them have."""
    case = draw(cases)
    return {**case, "attributes": {**case["attributes"], "created-at": draw(written)}}


def related(case, name):
    data = case["relationships"].get(name, {}).get("data")
    return [each["id"] for each in (data if isinstance(data, list) else [data]) if each is not None]


APPLIED = {
    "filter[status]": lambda case: [case["attributes"].get("status")],
    "filter[case-template-id]": lambda case: related(case, "case-template"),
    "filter[account-id]": lambda case: related(case, "accounts"),
    "filter[inquiry-id]": lambda case: related(case, "inquiries"),
}


def is_listed(listing, case):
    """Whether a list with these filters has the case."""
    return all(value in APPLIED[name](case) for name, value in listing.filters)


def moment(case):
    return moment_of(datetime.fromisoformat(case["attributes"]["created-at"]))


def is_found(listing, case):
    kept = listing.rest is None or listing.rest.matches(case)
    return is_listed(listing, case) and moment(case) in listing.created and kept


@given(decidable, created_cases())
def test_what_is_listed_and_kept_is_what_the_expression_finds(where, case):
    listing = Listing.of(where)
    assert is_found(listing, case) == where.matches(case)
    if listing.impossible:
        assert not where.matches(case)


@given(decidable, created_cases())
def test_a_search_for_what_is_filtered_finds_what_is_listed(where, case):
    listing = Listing.of(where)
    assert (listing.filtered is None or listing.filtered.matches(case)) == is_listed(listing, case)


@given(predicates)
def test_any_expression_is_divided_or_refused_as_one_that_can_not_be_decided(where):
    try:
        check_decidable(where.simplify())
    except QueryError:
        with pytest.raises(QueryError, match="cannot be evaluated locally"):
            Listing.of(where)
    else:
        Listing.of(where)


@given(decidable)
def test_nothing_of_the_query_is_in_the_repr(where):
    listing = Listing.of(where)
    assert repr(listing) == f"Listing(created={listing.created!r})"


# ---- what is left to decide ------------------------------------------------------------------------------------------


def test_all_cases_need_no_filter_and_no_decision():
    assert Listing.of(None) == Listing()


@pytest.mark.parametrize(
    ("where", "filters"),
    [
        (Q.template.eq("ctmpl_1"), [("filter[case-template-id]", "ctmpl_1")]),
        (Q.case_template_id.eq("ctmpl_1"), [("filter[case-template-id]", "ctmpl_1")]),
        (Q.account_id.eq("act_1"), [("filter[account-id]", "act_1")]),
        (Q.inquiry_id.eq("inq_1"), [("filter[inquiry-id]", "inq_1")]),
    ],
)
def test_what_ids_the_list_filters_by_is_not_decided_again(where, filters):
    listing = Listing.of(where)
    assert (list(listing.filters), listing.rest, listing.filtered) == (filters, None, Q.all_of([where]))


def test_a_status_is_filtered_by_and_compared_here_as_well():
    listing = Listing.of(Q.status.eq("Open"))
    assert (listing.filters, listing.rest) == ((("filter[status]", "Open"),), Q.all_of([Q.status.eq("Open")]))


def test_one_filter_has_one_value_and_the_other_is_decided_here():
    one, other = Q.template.eq("ctmpl_1"), Q.case_template_id.eq("ctmpl_2")
    listing = Listing.of(one & other)
    assert (listing.filters, listing.rest) == ((("filter[case-template-id]", "ctmpl_1"),), Q.all_of([other]))


@pytest.mark.parametrize(
    "where",
    [
        ~Q.status.eq("open"),
        Q.status.eq("open") | Q.template.eq("ctmpl_1"),
        Q.status.in_(["open", "closed"]),
        Q.status.gt("open"),
        Q.status.eq(""),
    ],
)
def test_what_no_filter_stands_for_is_decided_here(where):
    listing = Listing.of(where)
    assert (listing.filters, listing.filtered) == ((), None)
    assert listing.rest is not None


@pytest.mark.parametrize(
    ("where", "created"),
    [
        (Q.created_at.gte(NOON), TimeRange(moment_of(NOON), None)),
        (Q.created_at.lt(NOON), TimeRange(None, moment_of(NOON) + 1)),
        (Q.created_at.eq(NOON), TimeRange(moment_of(NOON), moment_of(NOON) + 1)),
        (Q.created_at.gte(NOON) & Q.created_at.gt(NOON + timedelta(days=1)), TimeRange(moment_of(NOON) + 86_400_000)),
        (Q.created_at.gte(NOON) | Q.status.eq("open"), TimeRange()),
        (~Q.created_at.gte(NOON), TimeRange()),
        (Q.updated_at.gte(NOON), TimeRange()),
    ],
)
def test_bounds_of_the_creation_time_bound_the_walk(where, created):
    assert Listing.of(where).created == created


@pytest.mark.parametrize(
    "where",
    [
        Q.state.eq("open"),
        ~Q.tag_id.eq("tag_1"),
        Q.status.eq("open") & Q.assignee.eq("user_1"),
        Q.attribute("size").eq(4),
    ],
)
def test_what_cases_do_not_show_is_refused(where):
    with pytest.raises(QueryError, match="cannot be evaluated locally"):
        Listing.of(where)


def test_something_else_than_an_expression_is_refused():
    with pytest.raises(QueryError, match="where"):
        Listing.of("status == 'open'")


# ---- which attributes to load ----------------------------------------------------------------------------------------


def test_what_is_decided_on_is_loaded_with_what_was_chosen():
    where = (
        Q.status.eq("open") & ~Q.fields.priority.eq("low") & ~Q.assignee.eq("a@example.com") & Q.template.eq("ctmpl_1")
    )
    loaded = Listing.of(where).attributes(["name", "status"])
    assert loaded[:3] == ["name", "status", "created_at"]
    assert set(loaded[3:]) == {"fields.priority", "assignee_id"}


def test_an_expression_without_anything_to_decide_loads_the_time_alone():
    assert Listing.of(None).attributes(["name"]) == ["name", "created_at"]


@pytest.mark.parametrize(
    "name", ["template", "case_template_id", "case_queue", "case_queue_id", "account_id", "inquiry_id"]
)
def test_what_only_whole_cases_show_can_not_be_decided_on_a_choice(name):
    listing = Listing.of(~Q.attribute(name).eq("x_1"))
    with pytest.raises(InvalidArgumentError, match=f"only: leave it out, because {name} "):
        listing.attributes(["status"])


@pytest.mark.parametrize("text", ["Tuesday", "2025-06-01T12:00:00", "2025-06-01T25:00:00Z", "T"])
def test_a_text_that_names_no_moment_bounds_nothing_and_finds_nothing(text):
    where = Predicate.from_dict({"attribute": "created_at", "operator": "lt", "value": text})
    listing = Listing.of(where)
    assert listing.created == TimeRange()
    assert listing.rest == Q.all_of([where])


@pytest.mark.parametrize("operator", ["gt", "gte", "eq", "lt", "lte"])
@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-10:00"]
)
def test_the_ends_of_time_are_no_errors(operator, text):
    case = {"type": "case", "id": "case_1", "attributes": {"created-at": NOON.isoformat()}, "relationships": {}}
    where = Predicate.from_dict({"attribute": "created_at", "operator": operator, "value": text})
    assert is_found(Listing.of(where), case) == where.matches(case)
