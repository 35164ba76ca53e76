"""The text form: what is read, and what is said about slips."""

from __future__ import annotations

import pytest

from persona_cases.errors import QueryError, QueryTypeError, UnknownAttributeError
from persona_cases.query import Predicate, Q, Sort, parse

A, B, C = Q.status.eq("a"), Q.state.eq("b"), Q.template.eq("c")


@pytest.mark.parametrize(
    ("text", "predicate"),
    [
        ("status == 'open' and not fields.priority == 'low'", Q.status.eq("open") & ~Q.fields.priority.eq("low")),
        ("status == 'open' and not fields.priority in ['low']", Q.status.eq("open") & ~Q.fields.priority.eq("low")),
        ("status != 'a'", Q.status.ne("a")),
        ("fields.n<-5", Q.fields.n.lt(-5)),
        ("fields.n >= 1e3", Q.fields.n.gte(1000.0)),
        ("'a' == status", A),
        ("5 < fields.n", Q.fields.n.gt(5)),
        ("'2025-01-01' <= created_at < '2026-01-01'", Q.created_at.between("2025-01-01", "2026-01-01")),
        ("status == 'b' and 1 <= fields.n < 5", Q.status.eq("b") & Q.fields.n.between(1, 5)),
        ("status in ['a', \"b\",]", Q.status.in_(["a", "b"])),
        ("status not in ['a', 'b']", Q.status.not_in(["a", "b"])),
        ("status in []", Q.any_of([])),
        ("fields.ok == True or fields.ok == false", Q.fields.ok.eq(True) | Q.fields.ok.eq(False)),
        ("fields['any key'] == 'x' and fields.in == 1", Q.fields["any key"].eq("x") & Q.fields["in"].eq(1)),
        ("fields.größe == 1", Q.fields["größe"].eq(1)),
        ("attribute('newer') > 'x'", Q.attribute("newer").gt("x")),
        ("status == 'a' or state == 'b' and template == 'c'", A | (B & C)),
        ("(status == 'a' or state == 'b') and template == 'c'", (A | B) & C),
        ("status == 'a' and (state == 'b' and template == 'c')", A & B & C),
        ("not status == 'a' and state == 'b'", ~A & B),
        ("not (status == 'a' and state == 'b')", ~(A & B)),
        ("not not status == 'a'", ~~A),
        ("all([status == 'a', any([state == 'b'])])", Q.all_of([A, Q.any_of([B])])),
        ("all([]) or any([])", Q.all_of([]) | Q.any_of([])),
        ("any([all([status == 'a', state == 'b']), template == 'c' or status == 'a',])", Q.any_of([A & B, C | A])),
        ("is_set(resolved_at) and is_unset(sla_expires_at)", Q.resolved_at.is_set() & Q.sla_expires_at.is_unset()),
        (r"""fields.x == 'it\'s \\ \n \x41é\U0001F600"'""", Q.fields.x.eq("it's \\ \n A\xe9\U0001f600\"")),
        ("  status\n==\t'a'  ", A),
        ("attribute('is') == 1", Q.attribute("is").eq(1)),
    ],
)
def test_what_is_read(text, predicate):
    assert parse(text) == predicate


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("status == open", "column 11: a text value must be quoted"),
        ("status in [open]", "column 12: .*quote"),
        ("status == state", "column 11: .*quote"),
        ("status = 'open'", "column 8: write `==`"),
        ("status === 'open'", "column 8: write `==`"),
        ("status <> 'open'", "column 8: write `!=`"),
        ("status == 'a' && state == 'b'", "column 15: write `and`"),
        ("status == 'a' || state == 'b'", "column 15: write `or`"),
        ("!(status == 'a')", "column 1: write `not`"),
        ("NOT status == 'a'", "column 1: write `not` .* lower case"),
        ("status == 'a' AND state == 'b'", "column 15: write `and` .* lower case"),
        ("status == null", "column 11: the API has no null"),
        ("status in [None]", "column 12: the API has no null"),
        ("null == status", "column 1: the API has no null"),
        ("status is 'a'", "column 8: there is no `is`"),
        ("status like 'a%'", "column 8: the API has no pattern"),
        ("status == \N{LEFT SINGLE QUOTATION MARK}open\N{RIGHT SINGLE QUOTATION MARK}", "column 11: use plain quot"),
        ("status == 'open", "column 11: this quotation mark is never closed"),
        ("(status == 'a'", "column 1: .*never closed"),
        ("all([status == 'a'", "column 1: .*never closed"),
        ("status == 'a')", r"column 14: .*one \) too many"),
        ("status == 'a']", r"column 14: .*one \] too many"),
        ("all([status == 'a')", r"column 19: .*one \) too many"),
        ("all([status == 'a']", r"column 20: expected \)"),
        ("all(status == 'a')", r"column 5: expected \["),
        ("all([,])", "column 6: an attribute or a value is expected"),
        ("status", "column 1: an attribute must be compared"),
        ("'open'", "column 1: a value must be compared"),
        ("status ==", "column 10: the expression ends"),
        ("status == 'a' and", "column 18: the expression ends"),
        ("not", "column 4: the expression ends"),
        ("and status == 'a'", "column 1: write `and` between"),
        ("status == 'a' state == 'b'", "column 15: `and`, `or` or the end"),
        ("status == not 'a'", "column 11: write `not` before"),
        ("status == ['a']", "column 11: write an attribute, `in`"),
        ("status in 'a'", "column 11: `in` needs a list"),
        ("'a' in ['a']", "column 8: write an attribute, `in`"),
        ("status in ['a' 'b']", "column 16: expected ,"),
        ("status in ['a'", "column 15: expected ,"),
        ("1 == 1", "column 1: one side .* attribute"),
        ("created_at >= 'garbage'", "column 15: created_at takes an ISO date"),
        ("created_at >= 2025-01-01", "column 15: a date must be quoted"),
        ("fields.n == 007", "column 13: .*begin with 0"),
        ("fields.n == 12abc", "column 13: .*quote"),
        ("fields.n == 1e999", "column 13: .*infinity"),
        ("fields.n == " + "9" * 30, "column 13: .*64 bits"),
        ("fields.n == " + "9" * 5000, "column 13: .*digits"),
        ("fields.a.b == 1", r"column 9: .*fields\['with.dot'\]"),
        ("fields == 1", "column 8: .*fields.key"),
        ("fields[x] == 1", "column 7: .*fields.key"),
        ("fields[''] == 1", "column 8: .*empty"),
        ("attribute(x) == 1", "column 11: .*quoted"),
        ("attribute('') == 1", "column 11: .*empty"),
        ("is_set(status)", "column 8: is_set takes a time"),
        ("is_set(5)", "column 8: is_set takes a time"),
        (r"fields.x == 'a\q'", "column 15: unknown escape"),
        (r"fields.x == '\U0FFFFFFF'", "column 14: unknown escape"),
        (r"fields.x == '\ud800'", "column 13: .*surrogate"),
        ("status == 'a' # why", "column 15: this cannot stand here"),
        ("status == 'a'\nand state = 'b'", "line 2, column 11: write `==`"),
    ],
)
def test_what_is_said_about_slips(text, message):
    with pytest.raises(QueryError, match=message):
        parse(text)


def test_the_kinds_of_errors_are_those_of_q():
    with pytest.raises(UnknownAttributeError, match=r"column 1: .*did you mean status\?"):
        parse("statuss == 'x'")
    with pytest.raises(QueryTypeError, match="column 11: status takes a str"):
        parse("status == 5")
    with pytest.raises(QueryTypeError, match="not dict"):
        parse({})


def test_errors_show_the_beginning_of_long_names():
    name = "status" * 100
    for make in (lambda: parse(f"{name} == 1"), lambda: getattr(Q, name), lambda: Sort(name)):
        with pytest.raises(UnknownAttributeError) as caught:
            make()
        assert "no attribute 'statusstatus" in str(caught.value)
        assert len(str(caught.value)) < 400


def test_errors_do_not_show_values():
    for text in ("created_at > 'secret'", "status == secret", "status == 'secret' secret", "status = 'secret'"):
        with pytest.raises(QueryError) as caught:
            parse(text)
        assert "secret" not in str(caught.value)


@pytest.mark.parametrize("text", ["__import__('os')", "status.__class__ == 1", "().__class__", "f'{1}' == status"])
def test_python_is_not_run(text):
    with pytest.raises(QueryError):
        parse(text)


def test_the_text_form_is_what_str_gives():
    assert isinstance(parse(str(A & B)), Predicate)
    assert str(parse("state=='b' and(status=='a')")) == "state == 'b' and status == 'a'"
