"""`persona.cases`: the methods that read, change and export cases."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cases import models, paging, query
from persona_cases.models import decoding
from persona_cases.paging import LARGEST_PAGE, check_page, is_beginning
from persona_cases.protocol.message import Request
from persona_cases.query import Predicate, Sort
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES
from persona_cases.resources import reading
from persona_cases.resources.case_changes import CaseChanges
from persona_cases.resources.changing.many_changes import ManyChanges
from persona_cases.resources.client_lessons import CASES
from persona_cases.resources.exporting.case_ranges import CaseRanges
from persona_cases.resources.exporting.exports import CaseExports
from persona_cases.resources.reading.page_requests import case_pages
from persona_cases.resources.reading.searches import Search, describe
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.argument_checks import callback, file_path
from persona_cases.resources.requests.query_parameters import Includable
from persona_cases.resources.syncing.case_syncs import CaseSyncs
from persona_cases.surface import publish
from persona_cases.teaching import taught

if TYPE_CHECKING:
    from persona_cases.resources.reading.case_downloads import OnBytes

_LIST = "/cases"


@taught(CASES)
class Cases(CaseExports, CaseRanges, CaseSyncs, ManyChanges, CaseChanges):
    """The cases of an environment.

    The methods that read cases are here. `CaseChanges` has those that change a case, `CaseExports` has `export`,
    `CaseRanges` has `ranges`, `CaseSyncs` has `sync`, and `ManyChanges` has `change_many` and `change_each`.
    """

    def __repr__(self) -> str:
        return f"<Cases of {self._api.base.url}>"

    def list(
        self,
        *,
        status: str | None = None,
        case_template_id: str | None = None,
        account_id: str | None = None,
        reference_id: str | None = None,
        inquiry_id: str | None = None,
        report_id: str | None = None,
        only: Iterable[str] | None = None,
        limit: int | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
        before: str | None = None,
    ) -> reading.CasePager:
        """List cases, newest first. Unlike `search`, it shows changes at once.

        Args:
            status: only cases in this status, spelled as in the template.
            case_template_id: only cases made from this template.
            account_id: only cases about this account.
            reference_id: only cases about the account with this reference id.
            inquiry_id: only cases about this inquiry.
            report_id: only cases about this report.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. Write
                `extra.<name>` for an attribute newer than this library.
            limit: maximum number of cases; None for no limit. `.limit(n)` of the pager does the same.
            page_size: cases per request, 1 to 100.
            after: start after the case with this id.
            before: iterate toward newer cases, starting from the case with this id.

        Returns:
            A pager, which sends nothing until you iterate over it or await it.

        Raises:
            InvalidArgumentError: if an argument is invalid.

        See https://docs.withpersona.com/api-reference/cases/list-all-cases.
        """
        check_page(page_size, after, before)
        filters = parameters.filters(
            {
                "status": status,
                "case-template-id": case_template_id,
                "account-id": account_id,
                "reference-id": reference_id,
                "inquiry-id": inquiry_id,
                "report-id": report_id,
            }
        )
        sparse, fieldset = parameters.fieldset(only)
        request = Request("GET", _LIST, query=filters + sparse)
        pager = reading.CasePager(
            fetch=case_pages(self._api, request, fieldset, backward=before is not None),
            what="list",
            options=paging.WalkOptions(page_size=page_size),
            backward=before is not None,
            explain=partial(describe, request),
            only=None if fieldset is None else fieldset.names,
        )
        return _started(pager if limit is None else pager.limit(limit), after or before)

    def search(
        self,
        where: Predicate | None = None,
        *,
        sort: Sort | None = None,
        only: Iterable[str] | None = None,
        limit: int | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
        before: str | None = None,
        max_searches: int = DEFAULT_MAX_SEARCHES,
        search_limits: query.SearchLimits | None = None,
    ) -> reading.CasePager:
        """Search cases by any expression of `Q`.

        An expression that one search of the API cannot hold is planned as several, which run concurrently. Each case
        comes once, in the requested order. Cases with equal values come in the order of the plan, and cases without a
        value come last. The pager's `explain()` shows the plan.

        The search index is stale by about a minute. Use `list` or `get` to read recent changes.

        Args:
            where: the search expression; None finds all cases.
            sort: the sort order, such as `Q.updated_at.asc()`. Default: newest first.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. Write
                `extra.<name>` for an attribute newer than this library.
            limit: maximum number of cases; None for no limit. `.limit(n)` of the pager does the same.
            page_size: cases per request, 1 to 100.
            after: start after the case with this id. If the query runs as several searches, a cursor of the same query.
            before: iterate in the opposite direction, starting from the case with this id. Not possible if the query
                runs as several searches.
            max_searches: maximum number of searches that the expression may take.
            search_limits: the limits of one search, if they differ from the documented ones.

        Returns:
            A pager, which sends nothing until you iterate over it or await it.

        Raises:
            InvalidArgumentError: if an argument is invalid.
            QueryTypeError: if `where` is not an expression of `Q`, or `sort` is not a sort order.
            QueryTooComplexError: if the expression takes more than `max_searches` searches.
            QueryError: if it takes several searches, and cases do not show the sort key.

        See https://docs.withpersona.com/api-reference/cases/search-cases.
        """
        check_page(page_size, after, before)
        chosen = None if only is None else models.Fieldset.of(only).names
        search, fieldset = Search.of(where, sort, max_searches, search_limits).loading(chosen)
        backward = before is not None
        pager = reading.CasePager(
            fetch=search.fetch(partial(case_pages, self._api, fieldset=fieldset, backward=backward), backward=backward),
            what="search",
            # A case that moves to after the cursor between two pages comes twice.
            options=paging.WalkOptions(page_size=page_size, distinct=search.unstable),
            backward=backward,
            explain=search.explain,
            only=chosen,
        )
        return _started(pager if limit is None else pager.limit(limit), after or before)

    async def get(
        self, case: models.Case | str, *, include: Iterable[Includable] | None = None, only: Iterable[str] | None = None
    ) -> models.Case:
        """Retrieve one case.

        Args:
            case: the case, or its id.
            include: relationships whose objects to load too, such as `["case-template", "accounts"]`. Names of the
                properties that read them (`template`, `comments`) work too. `accounts.inquiries` goes one level deeper,
                and `relationships.<name>` names a relationship newer than this library.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. Write
                `extra.<name>` for an attribute newer than this library.

        Raises:
            InvalidArgumentError: if an argument is invalid.
            NotFoundError: if there is no such case.
            APIError: if the API responded with another error status.
            TransportError: if no complete response arrived.

        See https://docs.withpersona.com/api-reference/cases/retrieve-case.
        """
        sparse, fieldset = parameters.fieldset(only)
        included = parameters.include(include, self._api.options.version)
        request = Request("GET", parameters.case_path(case), query=included + sparse)
        decode = decoding.decode_case if fieldset is None else partial(decoding.decode_case, fieldset=fieldset)
        return await self._api.load(request, decode)

    async def get_many(
        self,
        ids: Iterable[str],
        *,
        concurrency: int = reading.DEFAULT_CONCURRENCY,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
    ) -> reading.ManyCases:
        """Retrieve cases by their ids, several at a time and within the rate limit.

        Args:
            ids: the ids; duplicates are requested once.
            concurrency: maximum number of requests in progress at the same time.
            include: as for `get`.
            only: as for `get`.

        Returns:
            The cases in the order of the ids. `missing` holds the ids that were not found. `failed` holds the errors of
            all other ids that have no case, so check it.

        Raises:
            InvalidArgumentError: if an argument is invalid, before anything is sent.
            AuthenticationError: if the API does not accept the key.
            ClientStateError: if the client was closed.
        """
        # Some iterables can be read only once.
        included = None if include is None else parameters.names(include, "include", "['template', 'accounts']")
        loaded = None if only is None else parameters.names(only, "only", "['status', 'fields.priority']")
        return await reading.get_many(partial(self.get, include=included, only=loaded), ids, concurrency)

    def watch(
        self,
        *,
        since: models.Case | str | None = None,
        interval: float | timedelta = 2.0,
        max_interval: float | timedelta = 60.0,
        status: str | None = None,
        case_template_id: str | None = None,
        account_id: str | None = None,
        reference_id: str | None = None,
        inquiry_id: str | None = None,
        report_id: str | None = None,
    ) -> reading.CaseWatch:
        """Watch for new cases with `async for`: oldest first, each once, without end.

        Args:
            since: a case, its id, or the `cursor` of an earlier watch; the watch returns newer cases. None starts after
                the newest case that exists at the first step.
            interval: time between two requests while new cases arrive; a number is in seconds.
            max_interval: maximum time between two requests; the time doubles whenever nothing is new.
            status: only cases that are in this status when the watch reads them.
            case_template_id: only cases made from this template.
            account_id: only cases about this account.
            reference_id: only cases about the account with this reference id.
            inquiry_id: only cases about this inquiry.
            report_id: only cases about this report.

        Returns:
            The watch. Another watch can resume from its `cursor`, or from the `cursor` of the error that ended it.

        Raises:
            InvalidArgumentError: if an argument is invalid.
        """
        start = since.id if isinstance(since, models.Case) else since

        def newer(cursor: str | None) -> reading.CasePager:
            return self.list(
                status=status,
                case_template_id=case_template_id,
                account_id=account_id,
                reference_id=reference_id,
                inquiry_id=inquiry_id,
                report_id=report_id,
                before=cursor,
            )

        # Raises for invalid arguments now, not at the first step.
        newer(None if isinstance(start, str) and is_beginning(start) else start)
        return reading.CaseWatch(newer, start, interval=interval, max_interval=max_interval)

    async def download(
        self, attachment: models.Attachment, to: str | os.PathLike[str], *, on_progress: OnBytes | None = None
    ) -> Path:
        """Download a file that is attached to a case.

        A file's URL is valid for some hours. If it has expired, the client loads the case again to get a new one. It
        does not send the API key there, so URLs of versions before 2023-01-05, which need the key, are not supported.

        Args:
            attachment: one of `case.attachments`.
            to: the path of the file to write. The file appears when it is complete, and replaces an existing one.
            on_progress: called after each chunk with the number of bytes so far and the size of the file in bytes, None
                if unknown.

        Returns:
            The path.

        Raises:
            InvalidArgumentError: if `attachment` is not an attachment, its URL is not allowed, or the file cannot be
                written; before the first request.
            TransportError: if the file did not arrive completely.
            APIError: if the file host responds with an error status, even for a new URL.

        See https://docs.withpersona.com/downloading-files.
        """
        # Few programs download files.
        from persona_cases.resources.reading.case_downloads import Download, check_attachment  # noqa: PLC0415

        file_path(to, "to")
        callback(on_progress, "on_progress")
        return await Download(check_attachment(attachment), to, self._api, self.get, on_progress).run()


def _started(pager: reading.CasePager, cursor: str | None) -> reading.CasePager:
    return pager if cursor is None else pager.resume(cursor)


publish("persona_cases", Cases)
