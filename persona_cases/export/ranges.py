"""`TimeRange`: a part of the creation time that one walk goes through."""

from __future__ import annotations

import attrs

from persona_cases.errors import InvalidArgumentError


@attrs.frozen
class TimeRange:
    """The cases created from `low` on and before `high`, in whole milliseconds since 1970.

    Ranges are cut at whole milliseconds, and the lower end belongs to a range: so cases of equal creation time are
    never in two of them, however precise the times are that the API keeps.

    Attributes:
        low: the first moment; None for the beginning of time.
        high: the moment behind the last; None for its end.

    Raises:
        InvalidArgumentError: if nothing can be in it.
    """

    low: int | None = None
    high: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise InvalidArgumentError("a range of time ends after it begins")

    def __contains__(self, moment: int) -> bool:
        return (self.low is None or self.low <= moment) and (self.high is None or moment < self.high)

    def cut(self, moment: int) -> tuple[TimeRange, TimeRange]:
        """Return the parts before a moment and from it on.

        Raises:
            InvalidArgumentError: if one of them would be empty.
        """
        return TimeRange(self.low, moment), TimeRange(moment, self.high)
