"""Which time ranges are fetched by whom."""
