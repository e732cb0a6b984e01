"""The errors of the simulated AWS, as a code and a message; the codec turns them into each service's XML."""


class AwsError(Exception):
    """A refusal as AWS gives it: `code` and `message` reach the client unchanged, with HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class AwsValidationError(AwsError):
    """A parameter that the API model refuses: a missing one, a wrong type, a value out of range."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)
