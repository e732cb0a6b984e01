"""Adopt a hand-made load balancer: `python -m infra adopt` (docs/adopt.md).

Reads AWS and the cluster and changes nothing: writes a Pulumi import file, and prints the keys with which
the stack keeps the load balancer, its addresses, listeners and target groups.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from .adoptkeys import keys, notes, refusals
from .adoptreads import AdoptError, Aws, Standing, service_ports

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

_COMPONENT: Final = "node-nlb-sync:index:NodeNlb"
_BALANCER: Final = "node-nlb-sync:loadbalancer:LoadBalancer"
_NEXT: Final = "pulumi import --file {} --generate-code=false --protect=false"


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra adopt", description=__doc__)
    parser.add_argument("--load-balancer", required=True, metavar="NAME", help="name or ARN")
    parser.add_argument("--service", required=True, metavar="NAMESPACE/NAME", help="the NodePort Service")
    parser.add_argument("--node-security-group", action="append", default=[], metavar="ID")
    parser.add_argument("--region", help="in place of the environment's")
    parser.add_argument("--context", help="of the kubeconfig, in place of the current one")
    parser.add_argument("--component", default="node-nlb", metavar="NAME", help="name of the NodeNlb")
    parser.add_argument("--import-file", default="adopt.json", metavar="FILE")
    return parser.parse_args(words)


def import_file(found: Standing, component: str) -> dict[str, Any]:
    """Return the content of the file for `pulumi import --file`, parents first."""

    def resource(kind: str, name: str, ident: str, label: str) -> dict[str, Any]:
        made = {"type": kind, "name": label, "logicalName": name, "id": ident, "parent": "load-balancer"}
        return {**made, "version": version("pulumi_aws")}

    resources: list[dict[str, Any]] = [
        {"type": _COMPONENT, "name": "component", "logicalName": component, "component": True},
        {
            "type": _BALANCER,
            "name": "load-balancer",
            "logicalName": component,
            "component": True,
            "parent": "component",
        },
        resource("aws:lb/loadBalancer:LoadBalancer", component, found.arn, "nlb"),
    ]
    for item in found.listeners:
        name = f"{component}-{item.port}"
        group, label = item.groups[0], f"{item.port}"
        resources.append(resource("aws:lb/targetGroup:TargetGroup", name, group, f"group-{label}"))
        resources.append(resource("aws:lb/listener:Listener", name, item.arn, f"listener-{label}"))
        for further in item.certificates[1:]:
            ident = further.rpartition("/")[2]
            resources.append(
                resource(
                    "aws:lb/listenerCertificate:ListenerCertificate",
                    f"{name}-certificate-{ident}",
                    f"{item.arn}_{further}",
                    f"certificate-{label}-{ident}",
                )
            )
    return {"resources": resources}


def region_in(load_balancer: str) -> str | None:
    """Return the region in an ARN, None for a name or an incomplete ARN."""
    return f"{load_balancer}:::".split(":")[3] or None if load_balancer.startswith("arn:") else None


def node_groups(found: Standing, aws: Aws, given: Sequence[str]) -> list[str]:
    """Return the nodes' security groups: given, or the only group that all registered instances have.

    Raises AdoptError where several or none are common to all instances.
    """
    if given:
        return list(given)
    each = aws.node_groups(found.instances)
    common = sorted(frozenset.intersection(*each)) if each else []
    if len(common) != 1:
        shown = ", ".join(common) or "none"
        raise AdoptError(
            f"the registered instances have {shown} in common; give --node-security-group, the group of the "
            "nodes that gets the rules of NodePorts"
        )
    return common


def run(given: argparse.Namespace, aws: Aws, out: TextIO, err: TextIO) -> int:
    """Write the import file and print the keys. Raises AdoptError with a line per reason."""
    import yaml  # noqa: PLC0415 (the SDK of Pulumi brings it)

    namespace, mark, name = given.service.partition("/")
    if not (namespace and mark and name):
        raise AdoptError(f"--service is malformed: {given.service}; allowed: NAMESPACE/NAME")
    found = aws.standing(given.load_balancer)
    ports = service_ports(namespace, name, given.context)
    if wrong := list(refusals(found, ports)):
        raise AdoptError("\n".join(wrong))
    if not found.listeners:
        raise AdoptError(f"{found.name} has no listener; allowed: at least one")
    groups = node_groups(found, aws, given.node_security_group)
    chosen = keys(found, ports, (namespace, name), groups)
    path = Path(given.import_file)
    path.write_text(json.dumps(import_file(found, given.component), indent=2) + "\n")
    config = {"aws:region": found.region, **{f"node-nlb-sync:{key}": each for key, each in chosen.items()}}
    out.write(yaml.safe_dump({"config": config}, sort_keys=False))
    err.writelines(f"note: {line}\n" for line in notes(found))
    err.write(f"put these keys into Pulumi.<stack>.yaml, then run: {_NEXT.format(path)}\n")
    return 0


def main(words: Sequence[str], out: TextIO, err: TextIO) -> int:
    """Read and write; return 2 for an error, with one line each."""
    import boto3  # noqa: PLC0415 - the program itself needs no boto3
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    given = arguments(words)
    try:
        region = given.region or region_in(given.load_balancer)
        elb: ElasticLoadBalancingv2Client = boto3.client("elbv2", region_name=region)
        ec2: EC2Client = boto3.client("ec2", region_name=region)
        return run(given, Aws(elb, ec2), out, err)
    except AdoptError as error:
        err.write(f"{error}\n")
    except (BotoCoreError, ClientError) as error:
        err.write(f"AWS refused: {' '.join(str(error).split())}\n")
    except OSError as error:
        err.write(f"{given.import_file} cannot be written: {error.strerror}\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], sys.stdout, sys.stderr))
