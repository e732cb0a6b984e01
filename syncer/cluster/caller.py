"""Small requests of one kind: in a thread of their own, and never tight while they fail."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from syncer.cluster.api import GarbledError, RefusedError
from syncer.cluster.pace import MIN_INTERVAL_S
from syncer.errors import ClusterError, ConflictError, DeniedError

Answer = TypeVar("Answer")

# What it raises to read an object of another shape: whoever answered is no API server, or not a sane one.
_SENSELESS = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Caller:
    """One thread, so that nothing else delays its requests.

    A fault stands for a second from the beginning of the request that met it: whoever asks again within it
    gets the same answer without a request. So each kind is asked at most once a second, whoever asks.
    """

    def __init__(self, kind: str) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=kind)
        self._fault: ClusterError | None = None
        self._stands_until = 0.0

    async def call(self, request: Callable[[], Answer]) -> Answer:
        """What `request` answers; an HTTP status that means something is raised as what it means.

        404 for an update is a conflict too: what was read is not there any more. What is made new finds no
        namespace then (`without_namespace`).
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
            garbled = GarbledError(f"an answer makes no sense: {type(error).__name__}: {error}")
            self._remember(garbled, began)
            raise garbled from None

    def _remember(self, fault: ClusterError, began: float) -> None:
        self._fault, self._stands_until = fault, began + MIN_INTERVAL_S


def without_namespace(error: RefusedError) -> ClusterError:
    """What a 404 for an object that is to be made means; in a Pod's own namespace it cannot come."""
    return ClusterError(f"{error}; make it, or mend NLB_SYNC_NAMESPACE")
