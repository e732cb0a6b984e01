"""The errors of the simulated AWS: a code and a message; the codec renders the XML of each service."""

from collections.abc import Iterator
from contextlib import contextmanager

from sandbox.elbv2.errors import Refusal


class AwsError(Exception):
    """An AWS error: `code` and `message` reach the client unchanged, with HTTP `status`."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class AwsValidationError(AwsError):
    """A parameter that the API model refuses: missing, of a wrong type, or out of range."""

    def __init__(self, message: str) -> None:
        super().__init__("ValidationError", message)


@contextmanager
def answered() -> Iterator[None]:
    """Raise a refusal of the rules for targets as the AWS error of the response."""
    try:
        yield
    except Refusal as refusal:
        raise AwsError(refusal.code, refusal.message) from None
