"""An asyncio-native client for Persona's Cases API, with a composable query language."""

__version__ = "0.1.0"
