"""Variables of the environment: their table, their parsers, and the settings that they make."""
