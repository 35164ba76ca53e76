"""Modules of typed classes, written from case templates. Pure: text comes in as models, and goes out as source."""
