"""The component: an AWS Network Load Balancer with static IPs in front of a Kubernetes ingress controller.

The installed package is named `node_nlb_sync`; the only class for users is `NodeNlb`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

try:
    import pulumi as _pulumi  # noqa: F401
except ImportError as missing:
    raise ImportError(
        "node_nlb_sync needs Pulumi and its providers: pip install 'node-nlb-sync[pulumi]'"
    ) from missing

from .args import NodeNlbArgs

if TYPE_CHECKING:
    from .nodenlb import NodeNlb

__all__ = ["NodeNlb", "NodeNlbArgs"]


def __getattr__(name: str) -> Any:
    """Import the component on first use: the SDKs of AWS and Kubernetes take two seconds to load."""
    if name != "NodeNlb":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return import_module(".nodenlb", __name__).NodeNlb
