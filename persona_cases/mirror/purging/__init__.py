"""Erasure of redacted cases from files of earlier exports."""
