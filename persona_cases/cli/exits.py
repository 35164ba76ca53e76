"""The exit codes of the command line: what a script can tell apart."""

from __future__ import annotations

import enum

__all__ = ["ExitCode"]


class ExitCode(enum.IntEnum):
    """How a command ended. From 128 on, a code is 128 plus the number of the signal, as shells have it."""

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
        """What the code stands for, in a few words."""
        return _MEANINGS[self]


_MEANINGS = {
    ExitCode.OK: "success",
    ExitCode.FAILURE: "another failure, such as a full disk, or you answered no",
    ExitCode.USAGE: "invalid argument",
    ExitCode.DENIED: "no API key, a wrong one, or one without permission",
    ExitCode.NOT_FOUND: "there is no such case, template or file",
    ExitCode.RATE_LIMIT: "the rate limit or a quota is used up",
    ExitCode.API: "the API refused or failed in another way",
    ExitCode.NETWORK: "no connection, or no response in time",
    ExitCode.ANSWER: "the response does not match the API's contract",
    ExitCode.UNKNOWN: "unknown whether the change was made; stderr says how to find out",
    ExitCode.INTERRUPTED: "interrupted (Ctrl-C)",
    ExitCode.BROKEN_PIPE: "the reader of the output went away",
    ExitCode.TERMINATED: "terminated (SIGTERM)",
}
