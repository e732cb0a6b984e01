"""Starts the processes of a sandbox again when they end, and keeps count for `sandbox status`."""

from sandbox.supervisor.record import NAME, Incident, incidents

__all__ = ["NAME", "Incident", "incidents"]
