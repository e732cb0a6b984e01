"""An error response of AWS."""

from collections.abc import Collection


class Refusal(Exception):  # noqa: N818 (an answer of AWS, not a fault of the model)
    """AWS refuses the call: code and message of the response, and the instance ids that the message names."""

    def __init__(self, code: str, message: str, ids: Collection[str] = ()) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.ids = frozenset(ids)
