"""Stand-ins for the official Pulumi plugins where those are unavailable: language host and providers."""
