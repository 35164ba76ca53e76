"""The exit codes of the command line."""

from __future__ import annotations

import enum

__all__ = ["ExitCode"]


class ExitCode(enum.IntEnum):
    """How a command ended. Codes from 128 on are 128 plus the number of a signal, as in shells."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    DENIED = 3
    NOT_FOUND = 4
    RATE_LIMIT = 5
    API = 6
    NETWORK = 7
    ANSWER = 8
    UNKNOWN = 9
    INTERRUPTED = 130
    BROKEN_PIPE = 141
    TERMINATED = 143

    @property
    def meaning(self) -> str:
        """The meaning of the code, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "success",
    ExitCode.FAILURE: "another failure: a full disk, changes that failed, the answer no",
    ExitCode.USAGE: "invalid argument",
    ExitCode.DENIED: "no API key, a wrong one, or one without permission",
    ExitCode.NOT_FOUND: "no such case, template or file",
    ExitCode.RATE_LIMIT: "the rate limit or a quota is used up",
    ExitCode.API: "another error of the API",
    ExitCode.NETWORK: "no connection, or no response in time",
    ExitCode.ANSWER: "the response does not match the API's contract",
    ExitCode.UNKNOWN: "unknown whether the change was applied; stderr says how to find out",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.BROKEN_PIPE: "the reader of the output closed the pipe",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
}
