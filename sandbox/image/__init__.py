"""Builds the syncer's image with an installed builder, and pushes it."""
