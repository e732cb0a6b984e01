"""Text from and for users: strict numbers and hosts, quotes, and no secrets in the output."""
