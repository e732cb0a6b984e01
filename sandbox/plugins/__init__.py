"""What the Pulumi engine needs where its official plugins cannot be had: language host and providers."""
