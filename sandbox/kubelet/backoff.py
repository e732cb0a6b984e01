"""How long a container that ends again and again is kept waiting, as the kubelet does it."""

from dataclasses import dataclass

# k8s.io/kubernetes pkg/kubelet: MaxContainerBackOff 300 s, initial 10 s; the first restart is at once, and
# a container that ran for twice the maximum starts from the beginning.
FIRST_S = 10.0
MAX_S = 300.0
FORGOTTEN_AFTER_S = 2 * MAX_S


@dataclass(slots=True)
class Backoff:
    """The waiting of one container; times in seconds."""

    _next: float = 0.0

    def after(self, ran_s: float) -> float:
        """How long to wait now that the container has ended after running for `ran_s`."""
        if ran_s >= FORGOTTEN_AFTER_S:
            self._next = 0.0
        delay = self._next
        self._next = min(max(FIRST_S, delay * 2), MAX_S)
        return delay
