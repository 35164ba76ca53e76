"""Sync of a mirror of cases in a database."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from persona_cases.query import Predicate
from persona_cases.query.planner import DEFAULT_MAX_SEARCHES
from persona_cases.resources.endpoint import Api
from persona_cases.resources.exporting.counting import counted

if TYPE_CHECKING:
    from persona_cases.mirror.mirror_protocol import Mirror
    from persona_cases.mirror.sync_report import SyncReport
    from persona_cases.resources.exporting.export_request import Undecodable
    from persona_cases.resources.syncing.sync_request import Reconcile

__all__ = ["CaseSyncs"]

DEFAULT_OVERLAP: Final = timedelta(minutes=10)


class _SyncReading(Protocol):
    """The interface that reaches the API."""

    _api: Api


class CaseSyncs:
    """The method of `persona.cases` that keeps a mirror of cases in a database."""

    async def sync(
        self: _SyncReading,
        where: Predicate | None = None,
        *,
        to: str | os.PathLike[str] | Mirror,
        overlap: float | timedelta = DEFAULT_OVERLAP,
        reconcile: Reconcile = False,
        dirty: Iterable[str] = (),
        history: bool = False,
        undecodable: Undecodable = "raise",
        max_searches: int = DEFAULT_MAX_SEARCHES,
    ) -> SyncReport:
        """Update a mirror of cases: a database that holds the matching cases as the API shows them.

        The first sync reads all matching cases. Later syncs read what changed since: they write new and changed cases,
        delete cases that no longer match, and erase the old values of redacted cases. Rows are committed page by page
        together with the progress of the sync. After any interruption, the next sync resumes.

        Args:
            where: the expression; None mirrors all cases. It must be the same for every sync of a mirror. Times
                relative to now raise, because cases would enter and leave without a change.
            to: the mirror: the path of a SQLite database (`.db`, `.sqlite` or `.sqlite3`) or of a DuckDB database
                (`.duckdb`, extra `duckdb`); the URL of a PostgreSQL database (`postgresql://...`, extra `postgres`); or
                an object with the methods of `Mirror`.
            overlap: maximum delay until searches see a change, in seconds or as a `timedelta`, at most 365 days. Each
                sync reads the changes of this span again.
            reconcile: whether to compare the mirror with the list of cases, which takes one request per 100 cases, and
                repair what searches missed. True compares ids and times; `full` reads each case. A sync compares ids
                and times on its own if it finds that searches missed changes.
            dirty: ids of cases that are known to have changed, such as those of webhook events. They are read
                individually, without index lag.
            history: whether to keep a row for each change in the table `history`. It must be the same for every sync of
                a mirror.
            undecodable: what to do with a case that cannot be decoded. `raise` ends the sync with an error that names
                the case. `set_aside` deletes its rows, and keeps the case as the API sent it in the table `rejected`
                until it can be decoded. The report counts these cases.
            max_searches: maximum number of searches that the query may take; see `search`.

        Returns:
            A report of the cases added, updated, redacted and departed, and of the requests.

        Raises:
            InvalidArgumentError: if an argument is invalid, `to` is a database but not a mirror, or it is a mirror of
                another query or environment.
            ClientStateError: if another sync of the mirror is running, or another program holds the database.
            QueryTooComplexError: if the query takes more than `max_searches` searches.
            DecodeError: if a case cannot be decoded, unless it is to be set aside; `case_id` says which.
            PersonaError: any error that a search can raise.
            OSError: if the database cannot be written.

        See https://docs.withpersona.com/api-reference/cases/search-cases.
        """
        # Few programs have a mirror, and loading it takes a sixth of the time to load the client.
        from persona_cases.resources.syncing.changed_cases import ChangedCases  # noqa: PLC0415
        from persona_cases.resources.syncing.lone_cases import LoneCases  # noqa: PLC0415
        from persona_cases.resources.syncing.sync_request import SyncRequest  # noqa: PLC0415
        from persona_cases.resources.syncing.sync_run import SyncRun  # noqa: PLC0415

        request = SyncRequest.of(
            where,
            to=to,
            overlap=overlap,
            reconcile=reconcile,
            dirty=dirty,
            history=history,
            undecodable=undecodable,
            max_searches=max_searches,
        )
        twin, count = counted(self)
        changed = ChangedCases(twin._api, request, request.local)
        alone = LoneCases(twin._api, request.sets_aside)
        return await SyncRun(request, changed, alone.get, count).run()
