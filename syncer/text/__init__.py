"""Text from people and for people: numbers and hosts read strictly, quotes, and no secret in the output."""
