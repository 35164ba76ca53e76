"""From cases to flat rows: which columns there are, of what types, and what stands in them."""
