"""Runs commands of the project under the Python of the syncer's image, if this machine's Python differs."""
