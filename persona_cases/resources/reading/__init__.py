"""Reading cases: searches, lists, single cases and files."""
