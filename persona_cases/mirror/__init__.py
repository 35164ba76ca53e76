"""Mirrors of cases in databases: the meaning of what a sync reads, and the changes of rows."""

from persona_cases.mirror.case_version import CaseVersion
from persona_cases.mirror.mark import Mark, UnfinishedSweep, UnfinishedWalk
from persona_cases.mirror.mirror_protocol import Forget, Mirror, MirrorSettings, Put, Remember, RowChange, SetAside
from persona_cases.mirror.sync_report import Reconciled, SyncReport

__all__ = [
    "CaseVersion",
    "Forget",
    "Mark",
    "Mirror",
    "MirrorSettings",
    "Put",
    "Reconciled",
    "Remember",
    "RowChange",
    "SetAside",
    "SyncReport",
    "UnfinishedSweep",
    "UnfinishedWalk",
]


def __dir__() -> list[str]:
    return __all__
