"""Many changes that end well: each row once, whatever happens in between."""
