"""The planner: turns any expression into a small number of searches that the API accepts."""

from typing import Final

__all__ = ["DEFAULT_MAX_SEARCHES"]

DEFAULT_MAX_SEARCHES: Final = 16
"""Number of searches that an expression may take, unless the caller says otherwise."""
