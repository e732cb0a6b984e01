"""Environment variables: table, parsers and resulting settings."""
