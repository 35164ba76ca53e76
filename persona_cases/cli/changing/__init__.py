"""The work of the commands that change cases: one case, or many."""
