"""Whose fault a violation is, what is allowed, and what has been seen."""

from __future__ import annotations

import attrs

from conformance.allowances import Allowance
from conformance.document import Documents
from conformance.exchange import Answer, Exchange, Request
from conformance.ledger import Ledger
from conformance.library import library_document

DOCUMENTS = Documents({"2025-12-08": library_document()})
OURS = {"user-agent": "persona-cases Python/3.13"}
HEADERS = {"Content-Type": "application/json", "Books-Left": "3"}
BOOKS = Answer(200, HEADERS, b"[]")

GOOD = Request("GET", "/books", "hall=A")
BAD = Request("GET", "/books", "hall=A&row=1")


def ours(request: Request) -> Request:
    return attrs.evolve(request, headers={**request.headers, **OURS})


def judged(request: Request, answer: Answer | None = None, *allowances: Allowance) -> tuple[list[str], Ledger]:
    ledger = Ledger()
    return [str(finding) for finding in ledger.judge(DOCUMENTS, Exchange(request, answer), allowances)], ledger


def test_a_good_exchange_is_counted():
    findings, ledger = judged(ours(GOOD), BOOKS)
    assert findings == []
    assert (ledger.ours, ledger.answers) == ({"GET /books": 1}, {("GET /books", 200): 1})


def test_our_client_never_sends_what_the_document_does_not_have():
    refused = Answer(401, {"Content-Type": "application/json"}, b"{}")
    for answer, told in ((None, ""), (BOOKS, " -> 200"), (refused, " -> 401")):
        findings, ledger = judged(ours(BAD), answer)
        assert findings == [f"our request: GET /books{told}: query row: not declared"]
        assert ledger.findings == 1


def test_malformed_input_of_others_is_refused():
    findings, ledger = judged(BAD, BOOKS)
    assert findings == ["malformed input: GET /books -> 200: query row: not declared"]
    findings, ledger = judged(BAD, Answer(401, {"Content-Type": "application/json"}, b"{}"))
    assert findings == []
    assert ledger.refused == {"GET /books": 1}


def test_malformed_input_of_others_must_not_break_the_server():
    findings, _ = judged(BAD, Answer(500, HEADERS, b"[]"))
    assert findings == [
        "malformed input: GET /books -> 500: query row: not declared",
        "answer: GET /books -> 500: status: 500 is not declared",
    ]


def test_a_path_of_nobody_is_refused():
    findings, ledger = judged(Request("GET", "/shelves"), Answer(200, HEADERS, b"[]"))
    assert findings == ["malformed input: GET /shelves -> 200: path: not in the document"]
    findings, ledger = judged(Request("GET", "/shelves"), Answer(404, HEADERS, b"anything"))
    assert findings == []
    assert not +ledger.refused


def test_an_answer_is_wrong_whoever_asked():
    for request in (GOOD, ours(GOOD)):
        findings, _ = judged(request, Answer(200, HEADERS, b"{}"))
        assert findings == ["answer: GET /books -> 200: body: type"]


def test_an_allowance_covers_what_it_says_and_no_more():
    fitting = Allowance("our request", "GET /b*", "query row", "why not")
    findings, ledger = judged(ours(BAD), BOOKS, fitting)
    assert (findings, ledger.findings, ledger.unneeded([fitting])) == ([], 0, [])
    for other in (
        attrs.evolve(fitting, kind="malformed input"),
        attrs.evolve(fitting, operation="POST /books"),
        attrs.evolve(fitting, where="query page"),
        attrs.evolve(fitting, rule="required"),
        attrs.evolve(fitting, before="2025-10-27"),
    ):
        findings, ledger = judged(ours(BAD), BOOKS, other)
        assert len(findings) == 1
        assert ledger.unneeded([other]) == [other]


def test_an_allowance_may_end_with_a_version():
    allowance = Allowance("malformed input", "GET /books", "query row", "why not", before="2025-10-27")
    for version, found in (("2023-01-05", 0), ("2025-10-27", 1), ("2025-12-08", 1)):
        findings, _ = judged(attrs.evolve(BAD, headers={"persona-version": version}), BOOKS, allowance)
        assert len(findings) == found


def test_an_operation_is_exercised_by_our_client_and_a_success():
    operations = DOCUMENTS.operation_names()
    refused = Answer(401, {"Content-Type": "application/json"}, b"{}")
    for request, answer in ((GOOD, BOOKS), (ours(GOOD), None), (ours(GOOD), refused)):
        assert set(judged(request, answer)[1].unexercised(DOCUMENTS)) == operations
    assert set(judged(ours(GOOD), BOOKS)[1].unexercised(DOCUMENTS)) == operations - {"GET /books"}


def test_ledgers_of_several_processes_add_up():
    allowance = Allowance("our request", "GET /books", "query row", "why not")
    _, one = judged(ours(BAD), BOOKS, allowance)
    _, two = judged(BAD, BOOKS)
    both = Ledger()
    for each in (one, two):
        both.add(Ledger.from_plain(each.to_plain()))
    assert both.ours == {"GET /books": 1}
    assert both.answers == {("GET /books", 200): 2}
    assert both.findings == 1
    assert both.unneeded([allowance]) == []
    summary = "\n".join(both.lines(DOCUMENTS))
    assert "1 requests of our client and 2 answers" in summary
    assert "GET /books: 1 requests; 0 refused; answers 200: 2" in summary
