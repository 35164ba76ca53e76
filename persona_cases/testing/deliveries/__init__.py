"""Deliveries of the events of a simulator to webhook receivers."""
