"""The commands: their names, arguments and help. The work is done elsewhere."""
