"""The component: an AWS Network Load Balancer with static IPs in front of a Kubernetes ingress controller.

The installed package is named `node_nlb_sync`; the only class for users is `NodeNlb`.
"""

try:
    import pulumi as _pulumi  # noqa: F401
except ImportError as missing:
    raise ImportError(
        "node_nlb_sync needs Pulumi and its providers: pip install 'node-nlb-sync[pulumi]'"
    ) from missing

from .args import NodeNlbArgs
from .nodenlb import NodeNlb

__all__ = ["NodeNlb", "NodeNlbArgs"]
