"""How tests run here: always alike, and ending with the first failure."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

EXAMPLES = 30

# Pytest would load our modules itself with `--assert=rewrite`, because we have a plugin, and pass by the mistake.
OPTIONS = (
    "-q",
    "-s",
    "--no-header",
    "--tb=no",
    "--assert=plain",
    "--hypothesis-profile=mutation",
    "-pno:cacheprovider",
    "-pno:xdist",
    "-Wignore:Module already imported",
)


def register_profile() -> None:
    """Let properties try the same examples each time, and not look for smaller ones."""
    settings.register_profile(
        "mutation",
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def limit_examples(items: list[pytest.Item]) -> None:
    """Let the properties that ask for more examples try a few too."""
    for item in items:
        test = getattr(item, "obj", None)
        test = getattr(test, "__func__", test)
        own = getattr(test, "_hypothesis_internal_use_settings", None)
        if own is not None and own.max_examples > EXAMPLES:
            test._hypothesis_internal_use_settings = settings(own, max_examples=EXAMPLES)
