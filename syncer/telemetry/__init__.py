"""What the syncer reports: log, events, metrics, `/status`, probes, and the HTTP server for them."""
