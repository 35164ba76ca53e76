"""Changing many cases."""
