"""The files that are attached to exported cases: listing, naming and downloading them."""
