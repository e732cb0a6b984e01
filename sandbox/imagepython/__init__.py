"""Runs commands of the project under the Python of the syncer's image, where this machine has another one."""
