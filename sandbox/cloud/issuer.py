"""The public keys of the cluster's token issuer, from the API server that signs the tokens."""

import time
from collections.abc import Callable, Sequence

from sandbox.cloud.errors import AwsError
from sandbox.cloud.tokens import Jwk
from sandbox.cluster.rest import Rest
from sandbox.errors import SandboxError
from sandbox.layout import ISSUER, Layout

_FRESH_S = 60.0


class IssuerKeys:
    """Cached keys; still valid while the API server is down, as on AWS."""

    def __init__(self, layout: Layout, clock: Callable[[], float] = time.monotonic) -> None:
        self._rest = Rest(layout)
        self._clock = clock
        self._known: list[Jwk] = []
        self._read_at = 0.0

    def refresh(self) -> None:
        """Read the keys if the known keys are older than a minute; a failure keeps the known keys."""
        if self._known and self._clock() < self._read_at + _FRESH_S:
            return
        try:
            self._known = list(self._rest.get("/openid/v1/jwks")["keys"])
            self._read_at = self._clock()
        except (SandboxError, OSError, LookupError):
            return

    def of(self, issuer: str) -> Sequence[Jwk]:
        """Return the keys of an issuer. Raises AwsError IDPCommunicationError for an unreachable issuer."""
        if issuer != ISSUER or not self._known:
            text = f"Couldn't retrieve verification key from your identity provider: {issuer}"
            raise AwsError("IDPCommunicationError", text)
        return self._known
