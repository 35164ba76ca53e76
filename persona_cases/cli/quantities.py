"""Quantities in words, as the reports of exports have them."""

from __future__ import annotations

from persona_cases.export.quantities import duration, plural, size

__all__ = ["duration", "plural", "size"]
