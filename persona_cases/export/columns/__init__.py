"""The columns of a table of cases, their types, and the values of their cells."""
