"""From cases to flat rows: the columns of a table, their types, and the values of their cells."""
