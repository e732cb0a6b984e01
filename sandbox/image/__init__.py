"""Builds the syncer's image with the builder that is installed here, and pushes it."""
