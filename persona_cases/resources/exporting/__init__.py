"""Where the pages of an export come from."""
