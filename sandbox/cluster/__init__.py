"""The sandbox's Kubernetes control plane: real etcd, API server, controller manager and scheduler."""

from sandbox.cluster.control_plane import (
    CONTROLLERS,
    STORE_AND_API,
    PortInUseError,
    ready,
    restart,
    start,
    stop,
    store_context,
)
from sandbox.cluster.rest import ApiError, Rest

__all__ = [
    "CONTROLLERS",
    "STORE_AND_API",
    "ApiError",
    "PortInUseError",
    "Rest",
    "ready",
    "restart",
    "start",
    "stop",
    "store_context",
]
