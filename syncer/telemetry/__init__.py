"""Telemetry: log, events, metrics, `/status`, probes, and their HTTP server."""
