"""Reads of a hand-made load balancer for `python -m infra adopt`: AWS and the ingress Service, no changes."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

_PAGE: Final = 20  # resources of one DescribeTags
_FILTER_VALUES: Final = 200  # values of a filter ("Filter" of the EC2 API reference)


class AdoptError(Exception):
    """One or more errors for the user, a line for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A target group; `ports` and `instances` are those of its registered targets."""

    arn: str
    name: str
    port: int
    protocol: str
    target_type: str
    check: Mapping[str, Any]
    attributes: Mapping[str, str]
    tags: Mapping[str, str]
    ports: frozenset[int]
    instances: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """A listener; the default certificate comes first, `groups` are the groups it forwards to.

    `idle_seconds` is the idle timeout of a TCP listener.
    """

    arn: str
    port: int
    protocol: str
    certificates: tuple[str, ...]
    ssl_policy: str
    alpn: str
    mutual_tls: bool
    idle_seconds: int | None
    groups: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A load balancer with its listeners and groups; `zones` are AWS's descriptions by the zone's name."""

    arn: str
    name: str
    kind: str
    vpc_id: str
    internal: bool
    address_type: str
    security_groups: tuple[str, ...]
    zones: Mapping[str, Mapping[str, Any]]
    attributes: Mapping[str, str]
    capacity: int
    tags: Mapping[str, str]
    listeners: tuple[Listening, ...]
    groups: Mapping[str, Group]

    @property
    def region(self) -> str:
        """Return the region in the ARN."""
        return self.arn.split(":")[3]

    @property
    def instances(self) -> frozenset[str]:
        """Return the instances registered in any group."""
        return frozenset().union(*(group.instances for group in self.groups.values()))


@dataclass(frozen=True, slots=True)
class Aws:
    """Reads of one region."""

    elb: "ElasticLoadBalancingv2Client"
    ec2: "EC2Client"

    def standing(self, name: str) -> Standing:
        """Read a load balancer by its name or ARN."""
        wanted: Any = {"LoadBalancerArns" if name.startswith("arn:") else "Names": [name]}
        (found,) = self.elb.describe_load_balancers(**wanted)["LoadBalancers"]
        arn = found["LoadBalancerArn"]
        listed = self.elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
        described = [each for page in listed for each in page["Listeners"]]
        arns = sorted({group for each in described for group in _groups_of(each)})
        tags = self._tags([arn, *(each["ListenerArn"] for each in described), *arns])
        attributes = self.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
        reserved = self.elb.describe_capacity_reservation(LoadBalancerArn=arn)
        capacity = reserved.get("MinimumLoadBalancerCapacity") or {}
        return Standing(
            arn=arn,
            name=found["LoadBalancerName"],
            kind=found["Type"],
            vpc_id=found["VpcId"],
            internal=found["Scheme"] == "internal",
            address_type=found.get("IpAddressType", "ipv4"),
            security_groups=tuple(found.get("SecurityGroups") or ()),
            zones={each["ZoneName"]: dict(each) for each in found["AvailabilityZones"]},
            attributes=_plain(attributes),
            capacity=capacity.get("CapacityUnits", 0),
            tags=tags[arn],
            listeners=tuple(
                self._listener(each, tags) for each in sorted(described, key=lambda one: one["Port"])
            ),
            groups={each: self._group(each, tags[each]) for each in arns},
        )

    def _idle_seconds(self, arn: str) -> int | None:
        attributes = self.elb.describe_listener_attributes(ListenerArn=arn)["Attributes"]
        found = {each["Key"]: each["Value"] for each in attributes}.get("tcp.idle_timeout.seconds")
        return int(found) if found else None

    def _listener(self, found: Mapping[str, Any], tags: Mapping[str, Mapping[str, str]]) -> Listening:
        arn, certificates = found["ListenerArn"], []
        if found.get("Certificates"):
            listed = self.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
            ordered = sorted(listed, key=lambda one: not one.get("IsDefault", False))
            certificates = [each["CertificateArn"] for each in ordered]
        mutual = (found.get("MutualAuthentication") or {}).get("Mode", "off")
        return Listening(
            arn=arn,
            port=found["Port"],
            protocol=found["Protocol"],
            certificates=tuple(certificates),
            ssl_policy=found.get("SslPolicy") or "",
            alpn=next(iter(found.get("AlpnPolicy") or ()), ""),
            mutual_tls=mutual != "off",
            idle_seconds=self._idle_seconds(arn),
            groups=tuple(_groups_of(found)),
            tags=tags[arn],
        )

    def _group(self, arn: str, tags: Mapping[str, str]) -> Group:
        (found,) = self.elb.describe_target_groups(TargetGroupArns=[arn])["TargetGroups"]
        attributes = self.elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        healths = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        targets = [each["Target"] for each in healths]
        return Group(
            arn=arn,
            name=found["TargetGroupName"],
            port=found.get("Port", 0),
            protocol=found.get("Protocol", ""),
            target_type=found["TargetType"],
            check=dict(found),
            attributes=_plain(attributes),
            tags=tags,
            ports=frozenset(each["Port"] for each in targets if "Port" in each),
            instances=frozenset(each["Id"] for each in targets),
        )

    def _tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for start in range(0, len(arns), _PAGE):
            described = self.elb.describe_tags(ResourceArns=list(arns[start : start + _PAGE]))
            for each in described["TagDescriptions"]:
                found[each["ResourceArn"]] = {tag["Key"]: tag.get("Value", "") for tag in each["Tags"]}
        return found

    def node_groups(self, instances: frozenset[str]) -> list[frozenset[str]]:
        """Return the security groups of each instance; instances that AWS no longer has are left out."""
        every, ids = [], sorted(instances)
        for start in range(0, len(ids), _FILTER_VALUES):
            wanted: Any = [{"Name": "instance-id", "Values": ids[start : start + _FILTER_VALUES]}]
            for page in self.ec2.get_paginator("describe_instances").paginate(Filters=wanted):
                every += [one for each in page["Reservations"] for one in each["Instances"]]
        return [frozenset(group["GroupId"] for group in one.get("SecurityGroups", ())) for one in every]


def _groups_of(listener: Mapping[str, Any]) -> Iterator[str]:
    """Yield the groups of the forward actions; AWS repeats a single group in `ForwardConfig`."""
    arns: dict[str, None] = {}
    for action in listener.get("DefaultActions", ()):
        for each in (action.get("ForwardConfig") or {}).get("TargetGroups") or [action]:
            if each.get("TargetGroupArn"):
                arns[each["TargetGroupArn"]] = None
    yield from arns


def _plain(attributes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {each["Key"]: each.get("Value", "") for each in attributes}


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """A port of the ingress Service; `node_port` is 0 without one."""

    name: str
    port: int
    node_port: int


def service_ports(namespace: str, name: str, context: str | None) -> list[Port]:
    """Read the ports of a Service, with the kubeconfig of the environment.

    Raises AdoptError for a Service that cannot be read.
    """
    import urllib3  # noqa: PLC0415
    from kubernetes import client, config  # noqa: PLC0415 (takes half a second)

    try:
        config.load_kube_config(context=context)
        found = client.CoreV1Api().read_namespaced_service(name, namespace)
    except client.ApiException as error:
        raise AdoptError(
            f"Service {namespace}/{name} cannot be read: {error.status} {error.reason}"
        ) from None
    except (config.ConfigException, urllib3.exceptions.HTTPError, OSError) as error:
        cause = " ".join(str(error).split())
        raise AdoptError(f"API server cannot be reached: {cause}; set KUBECONFIG or --context") from None
    every = (found.spec.ports if found.spec else None) or ()
    return [Port(name=each.name or "", port=each.port, node_port=each.node_port or 0) for each in every]
