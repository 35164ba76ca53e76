"""The commands: what they are called, what they take, and what their help says. The work is done elsewhere."""
