"""Sockets, documents and problems of the simulator."""
