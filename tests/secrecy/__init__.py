"""Watching, in the whole test run, that no secret and no personal data get out."""
