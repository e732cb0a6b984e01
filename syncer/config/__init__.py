"""Environment variables: their table, their parsers and the resulting settings."""
