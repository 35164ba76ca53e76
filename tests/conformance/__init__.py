"""Holds what the tests send, and what the simulator answers, against an OpenAPI document."""
