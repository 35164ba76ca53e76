"""The files attached to exported cases: listing, naming and downloading them."""
