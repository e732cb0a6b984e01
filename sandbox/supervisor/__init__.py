"""Restarts ended processes of a sandbox, and counts the restarts for `sandbox status`."""

from sandbox.supervisor.record import NAME, Incident, incidents

__all__ = ["NAME", "Incident", "incidents"]
