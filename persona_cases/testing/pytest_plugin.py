"""What other test suites get from this package."""
