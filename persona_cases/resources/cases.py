"""`persona.cases`: everything that can be done with cases."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from pathlib import Path

from persona_cases.models import Attachment, Case, Fieldset
from persona_cases.models.decoding.decode import decode_case
from persona_cases.models.loadable_names import Includable
from persona_cases.paging import LARGEST_PAGE, WalkOptions, check_page, is_beginning
from persona_cases.protocol.message import Request
from persona_cases.query import Predicate, SearchLimits, Sort
from persona_cases.query.planner.plan import DEFAULT_MAX_SEARCHES
from persona_cases.resources.case_changes import CaseChanges
from persona_cases.resources.changing.many_changes import ManyChanges
from persona_cases.resources.client_lessons import CASES
from persona_cases.resources.exporting.case_ranges import CaseRanges
from persona_cases.resources.exporting.exports import CaseExports
from persona_cases.resources.reading.case_downloads import Download, OnBytes, check_attachment
from persona_cases.resources.reading.case_pager import CasePager
from persona_cases.resources.reading.case_watch import CaseWatch
from persona_cases.resources.reading.get_many import DEFAULT_CONCURRENCY, ManyCases, get_many
from persona_cases.resources.reading.page_requests import case_pages
from persona_cases.resources.reading.searches import Search, describe
from persona_cases.resources.requests import query_parameters as parameters
from persona_cases.resources.requests.argument_checks import callback, file_path
from persona_cases.resources.syncing.case_syncs import CaseSyncs
from persona_cases.surface import publish
from persona_cases.teaching import taught

_LIST = "/cases"


@taught(CASES)
class Cases(CaseExports, CaseRanges, CaseSyncs, ManyChanges, CaseChanges):
    """The cases of an environment: reading them here, changing them in `CaseChanges`, `export` in `CaseExports`.

    `ranges`, which divides an export, is in `CaseRanges`, `sync` in `CaseSyncs`; `change_many` and `change_each` are in
    `ManyChanges`.
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
    ) -> CasePager:
        """List cases, newest first. Unlike `search`, it shows changes at once.

        Args:
            status: only cases in this status, spelled as in the template.
            case_template_id: only cases made from this template.
            account_id: only cases about this account.
            reference_id: only cases about the account with this reference id.
            inquiry_id: only cases about this inquiry.
            report_id: only cases about this report.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. One newer than
                this library is `extra.<name>`.
            limit: the most cases to give in all; None gives all. `.limit(n)` of the pager does the same.
            page_size: cases per request, 1 to 100.
            after: start behind the case with this id.
            before: walk towards newer cases, from the case with this id.

        Returns:
            A pager; nothing is sent before it is walked or awaited.

        Raises:
            InvalidArgumentError: if an argument cannot work.

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
        pager = CasePager(
            fetch=case_pages(self._api, request, fieldset, backward=before is not None),
            what="list",
            options=WalkOptions(page_size=page_size),
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
        search_limits: SearchLimits | None = None,
    ) -> CasePager:
        """Search cases by any expression of `Q`.

        An expression that one search of the API cannot hold is planned as several, which run side by side; each case
        comes once, in the order asked for. Among cases of equal value that is the order of the plan, and cases
        without a value come last. `explain()` of the pager shows the plan.

        The search index lags behind by about a minute; use `list` or `get` to read what was just written.

        Args:
            where: what to look for; None finds all cases.
            sort: the order, such as `Q.updated_at.asc()`; newest first by default.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. One newer than
                this library is `extra.<name>`.
            limit: the most cases to give in all; None gives all. `.limit(n)` of the pager does the same.
            page_size: cases per request, 1 to 100.
            after: start behind the case with this id; if several searches are run, a cursor of the same search.
            before: walk the other way, from the case with this id; not if several searches are run.
            max_searches: how many searches the expression may take.
            search_limits: what one search can carry, if not what the API documents.

        Returns:
            A pager; nothing is sent before it is walked or awaited.

        Raises:
            InvalidArgumentError: if an argument cannot work.
            QueryTypeError: if `where` is no expression of `Q`, or `sort` no order.
            QueryTooComplexError: if the expression takes more than `max_searches` searches.
            QueryError: if it takes several searches, and cases do not show what they are sorted by.

        See https://docs.withpersona.com/api-reference/cases/search-cases.
        """
        check_page(page_size, after, before)
        chosen = None if only is None else Fieldset.of(only).names
        search, fieldset = Search.of(where, sort, max_searches, search_limits).loading(chosen)
        backward = before is not None
        pager = CasePager(
            fetch=search.fetch(partial(case_pages, self._api, fieldset=fieldset, backward=backward), backward=backward),
            what="search",
            # A case that moves behind the cursor between two pages comes twice.
            options=WalkOptions(page_size=page_size, distinct=search.unstable),
            backward=backward,
            explain=search.explain,
            only=chosen,
        )
        return _started(pager if limit is None else pager.limit(limit), after or before)

    async def get(
        self, case: Case | str, *, include: Iterable[Includable] | None = None, only: Iterable[str] | None = None
    ) -> Case:
        """Retrieve one case.

        Args:
            case: the case, or its id.
            include: relationships whose objects to load as well, such as `["case-template", "accounts"]`; the names of
                the properties that read them (`template`, `comments`) are understood, `accounts.inquiries` goes one
                step further, and `relationships.<name>` is a relationship newer than this library.
            only: the only attributes to load, such as `["status", "fields.priority"]`; None loads all. One newer than
                this library is `extra.<name>`.

        Raises:
            InvalidArgumentError: if an argument cannot work.
            NotFoundError: if there is no such case.
            APIError: if the API refuses for another reason.
            TransportError: if no whole answer came.

        See https://docs.withpersona.com/api-reference/cases/retrieve-case.
        """
        sparse, fieldset = parameters.fieldset(only)
        query = parameters.include(include, self._api.options.version) + sparse
        request = Request("GET", parameters.case_path(case), query=query)
        return await self._api.load(request, partial(decode_case, fieldset=fieldset))

    async def get_many(
        self,
        ids: Iterable[str],
        *,
        concurrency: int = DEFAULT_CONCURRENCY,
        include: Iterable[Includable] | None = None,
        only: Iterable[str] | None = None,
    ) -> ManyCases:
        """Retrieve cases by their ids, several at a time and inside the rate limit.

        Args:
            ids: the ids; one that is given twice is asked for once.
            concurrency: how many requests may be under way at the same time.
            include: as for `get`.
            only: as for `get`.

        Returns:
            The cases in the order of the ids. The ids of which the API says that there is no such case are `missing`;
            `failed` has the errors of all other ids that gave no case, so look at it.

        Raises:
            InvalidArgumentError: if an argument cannot work, before anything is sent.
            AuthenticationError: if the API refuses the key.
            ClientStateError: if the client was closed.
        """
        # Iterables that can be read once only are read once.
        included = None if include is None else parameters.names(include, "include", "['template', 'accounts']")
        loaded = None if only is None else parameters.names(only, "only", "['status', 'fields.priority']")
        return await get_many(partial(self.get, include=included, only=loaded), ids, concurrency)

    def watch(
        self,
        *,
        since: Case | str | None = None,
        interval: float | timedelta = 2.0,
        max_interval: float | timedelta = 60.0,
        status: str | None = None,
        case_template_id: str | None = None,
        account_id: str | None = None,
        reference_id: str | None = None,
        inquiry_id: str | None = None,
        report_id: str | None = None,
    ) -> CaseWatch:
        """Watch for new cases, with `async for`: oldest first, each once, without end.

        Args:
            since: a case, its id, or the `cursor` of an earlier watch: newer cases are given. None starts with what
                comes after the newest case there is when the first one is asked for.
            interval: time between two requests while cases keep coming; a number is in seconds.
            max_interval: time between two requests at most; the wait doubles each time that nothing is new.
            status: only cases in this status when they are seen.
            case_template_id: only cases made from this template.
            account_id: only cases about this account.
            reference_id: only cases about the account with this reference id.
            inquiry_id: only cases about this inquiry.
            report_id: only cases about this report.

        Returns:
            The watch; its `cursor` is where another one can resume, and so is that of an error that ends it.

        Raises:
            InvalidArgumentError: if an argument cannot work.
        """
        start = since.id if isinstance(since, Case) else since

        def newer(cursor: str | None) -> CasePager:
            return self.list(
                status=status,
                case_template_id=case_template_id,
                account_id=account_id,
                reference_id=reference_id,
                inquiry_id=inquiry_id,
                report_id=report_id,
                before=cursor,
            )

        # Complains about bad arguments now, and not at the first step.
        newer(None if isinstance(start, str) and is_beginning(start) else start)
        return CaseWatch(newer, start, interval=interval, max_interval=max_interval)

    async def download(
        self, attachment: Attachment, to: str | os.PathLike[str], *, on_progress: OnBytes | None = None
    ) -> Path:
        """Download a file that is attached to a case.

        The address of a file is valid for some hours. Once it has expired, the case is asked for a fresh one. The API
        key is not sent there. Addresses of versions before 2023-01-05, which need it, are not supported.

        Args:
            attachment: one of `case.attachments`.
            to: the path of the file to write; it appears when it is complete, and replaces one that was there.
            on_progress: called after each piece with the bytes so far and the size of the file.

        Returns:
            The path.

        Raises:
            InvalidArgumentError: if `attachment` is something else, its address is not one to fetch files from, or the
                file cannot be written; before the first request.
            TransportError: if the whole file did not come.
            APIError: if the address is refused, and a fresh one too.

        See https://docs.withpersona.com/downloading-files.
        """
        file_path(to, "to")
        callback(on_progress, "on_progress")
        return await Download(check_attachment(attachment), to, self._api, self.get, on_progress).run()


def _started(pager: CasePager, cursor: str | None) -> CasePager:
    return pager if cursor is None else pager.resume(cursor)


publish("persona_cases", Cases)
