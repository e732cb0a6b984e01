"""Telemetry: log, events, metrics, `/status`, probes, and the HTTP server."""
