"""The restart backoff of a container that ends repeatedly, as in the kubelet."""

from dataclasses import dataclass

# k8s.io/kubernetes pkg/kubelet: MaxContainerBackOff 300 s, initial 10 s; the first restart is immediate, and
# the backoff is reset after a run of twice the maximum.
FIRST_S = 10.0
MAX_S = 300.0
FORGOTTEN_AFTER_S = 2 * MAX_S


@dataclass(slots=True)
class Backoff:
    """The backoff of a container; times in seconds."""

    _next: float = 0.0

    def after(self, ran_s: float) -> float:
        """Return the delay before the restart of a container that ended after `ran_s`."""
        if ran_s >= FORGOTTEN_AFTER_S:
            self._next = 0.0
        delay = self._next
        self._next = min(max(FIRST_S, delay * 2), MAX_S)
        return delay
