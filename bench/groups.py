"""Target groups of the bench's load balancer, one per port of the ingress Service."""

from collections.abc import Mapping

from sandbox.layout import ACCOUNT, REGION

FEWEST = 2
_NAMED = {"http": 80, "https": 443}
_FURTHER = 8000


def ports(count: int) -> dict[str, int]:
    """Return the Service's ports by name: `http`, `https`, and then `port3` and so on."""
    further = {f"port{number}": _FURTHER + number for number in range(FEWEST + 1, count + 1)}
    return {**_NAMED, **further}


def arns(names: Mapping[str, int]) -> dict[str, str]:
    """Return the ARN of the group of each port, by the port's name."""
    return {
        name: f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/{port:016x}"
        for name, port in names.items()
    }
