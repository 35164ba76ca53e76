"""Erasing redacted cases from files of earlier exports."""
