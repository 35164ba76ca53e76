"""Persona's cases in other frameworks: one module for each, which imports it."""
