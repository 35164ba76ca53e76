"""Decoding of response bodies into models."""
