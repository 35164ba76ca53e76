"""Everything that can go wrong between client and server."""
