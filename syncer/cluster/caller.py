"""Small requests of one kind: in a separate thread, and never in a tight loop of failures."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from syncer.cluster.api import GarbledError, RefusedError
from syncer.cluster.pace import MIN_INTERVAL_S
from syncer.errors import ClusterError, ConflictError, DeniedError

Answer = TypeVar("Answer")

# Exceptions from reading an object of another shape: the server is no API server, or faulty.
_SENSELESS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Caller:
    """A separate thread: no other request delays its requests.

    A fault lasts one second from the start of the request: calls within the second fail with the same fault,
    without a request. So a failing kind is requested at most once a second, for any number of callers.
    """

    def __init__(self, kind: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=kind)
        self._fault: ClusterError | None = None
        self._stands_until = 0.0

    async def call(self, request: Callable[[], Answer]) -> Answer:
        """Run `request` and translate known HTTP statuses into typed errors.

        404 for an update is a conflict too: the object has been deleted. For a create, 404 is a missing
        namespace (`without_namespace`).
        """
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._call, request)

    def _call(self, request: Callable[[], Answer]) -> Answer:
        began = time.monotonic()
        if self._fault is not None and began < self._stands_until:
            raise ClusterError(str(self._fault))
        self._fault = None
        try:
            return request()
        except RefusedError as error:
            if error.status == 403:  # noqa: PLR2004
                raise DeniedError(str(error)) from None
            if error.status in {404, 409}:
                raise ConflictError(str(error)) from None
            self._remember(error, began)
            raise
        except ClusterError as error:
            if not isinstance(error, DeniedError):
                self._remember(error, began)
            raise
        except _SENSELESS as error:
            garbled = GarbledError(f"malformed response: {type(error).__name__}: {error}")
            self._remember(garbled, began)
            raise garbled from None

    def _remember(self, fault: ClusterError, began: float) -> None:
        self._fault, self._stands_until = fault, began + MIN_INTERVAL_S


def without_namespace(error: RefusedError) -> ClusterError:
    """Explain a 404 for a create: a missing namespace; impossible in the Pod's own namespace."""
    return ClusterError(f"{error}; create the namespace, or correct NLB_SYNC_NAMESPACE")
