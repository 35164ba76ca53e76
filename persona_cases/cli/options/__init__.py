"""The options of the commands, and their checks."""
