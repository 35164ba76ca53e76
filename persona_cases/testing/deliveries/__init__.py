"""How the events of a simulator reach the receivers of webhooks."""
