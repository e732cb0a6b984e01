"""Names and types of every property, read from the source text of the installed pulumi_aws.

An import of a module of pulumi_aws costs about a second of CPU, and every `up` starts a provider twice, so
only the needed classes are cut out of the generated source and parsed.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

RESOURCES: Final[Mapping[str, tuple[str, str]]] = {
    "aws:ec2/eip:Eip": ("ec2/eip", "Eip"),
    "aws:ec2/securityGroup:SecurityGroup": ("ec2/security_group", "SecurityGroup"),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": (
        "vpc/security_group_ingress_rule",
        "SecurityGroupIngressRule",
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": (
        "vpc/security_group_egress_rule",
        "SecurityGroupEgressRule",
    ),
    "aws:lb/loadBalancer:LoadBalancer": ("lb/load_balancer", "LoadBalancer"),
    "aws:lb/targetGroup:TargetGroup": ("lb/target_group", "TargetGroup"),
    "aws:lb/listener:Listener": ("lb/listener", "Listener"),
    "aws:lb/listenerCertificate:ListenerCertificate": ("lb/listener_certificate", "ListenerCertificate"),
    "aws:route53/record:Record": ("route53/record", "Record"),
    "aws:ec2/vpcEndpointService:VpcEndpointService": ("ec2/vpc_endpoint_service", "VpcEndpointService"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch/metric_alarm", "MetricAlarm"),
    "aws:iam/user:User": ("iam/user", "User"),
    "aws:iam/userPolicy:UserPolicy": ("iam/user_policy", "UserPolicy"),
    "aws:iam/accessKey:AccessKey": ("iam/access_key", "AccessKey"),
    "aws:iam/role:Role": ("iam/role", "Role"),
    "aws:iam/rolePolicy:RolePolicy": ("iam/role_policy", "RolePolicy"),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": (
        "iam/role_policy_attachment",
        "RolePolicyAttachment",
    ),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "eks/pod_identity_association",
        "PodIdentityAssociation",
    ),
}
FUNCTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "aws:ec2/getSubnet:getSubnet": ("ec2/get_subnet", "GetSubnet"),
    "aws:ec2/getEips:getEips": ("ec2/get_eips", "GetEips"),
    "aws:lb/getLoadBalancer:getLoadBalancer": ("lb/get_load_balancer", "GetLoadBalancer"),
    "aws:lb/getLbs:getLbs": ("lb/get_lbs", "GetLbs"),
    "aws:lb/getTargetGroup:getTargetGroup": ("lb/get_target_group", "GetTargetGroup"),
    "aws:ec2/getSecurityGroup:getSecurityGroup": ("ec2/get_security_group", "GetSecurityGroup"),
    "aws:ec2/getSecurityGroups:getSecurityGroups": ("ec2/get_security_groups", "GetSecurityGroups"),
    "aws:ec2/getElasticIp:getElasticIp": ("ec2/get_elastic_ip", "GetElasticIp"),
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": (
        "ec2/get_managed_prefix_list",
        "GetManagedPrefixList",
    ),
    "aws:ec2/getNetworkInterface:getNetworkInterface": ("ec2/get_network_interface", "GetNetworkInterface"),
    "aws:ec2/getNetworkInterfaces:getNetworkInterfaces": (
        "ec2/get_network_interfaces",
        "GetNetworkInterfaces",
    ),
    "aws:vpc/getSecurityGroupRule:getSecurityGroupRule": (
        "vpc/get_security_group_rule",
        "GetSecurityGroupRule",
    ),
    "aws:vpc/getSecurityGroupRules:getSecurityGroupRules": (
        "vpc/get_security_group_rules",
        "GetSecurityGroupRules",
    ),
    "aws:servicequotas/getServiceQuota:getServiceQuota": (
        "servicequotas/get_service_quota",
        "GetServiceQuota",
    ),
    "aws:route53/getZone:getZone": ("route53/get_zone", "GetZone"),
    "aws:eks/getCluster:getCluster": ("eks/get_cluster", "GetCluster"),
    "aws:iam/getRole:getRole": ("iam/get_role", "GetRole"),
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": (
        "iam/get_open_id_connect_provider",
        "GetOpenIdConnectProvider",
    ),
}
PROVIDER: Final = "pulumi:providers:aws"

_SCALARS: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Type:
    """A property's type: string, integer, number, boolean, list, map, object or any.

    `item` is the type inside a list or map; `properties` are those of an object. `json` marks a string that
    may also be given as an object (policy documents).
    """

    kind: str
    item: "Type | None" = None
    properties: Mapping[str, "Type"] = field(default_factory=dict)
    json: bool = False


@dataclass(frozen=True, slots=True)
class Shape:
    """The SDK's data of a token: inputs, required inputs, and names of outputs."""

    inputs: Mapping[str, Type]
    required: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()


def shapes() -> Mapping[str, Shape]:
    """Return the shape of every supported token, and of the provider's configuration.

    Raises ModuleNotFoundError when pulumi_aws is not installed.
    """
    return _shapes(_sdk())


def sdk_version() -> str:
    """Return the version of the installed SDK, equal to the version of its official provider."""
    return importlib.metadata.version("pulumi-aws")


@cache
def _shapes(sdk: Path) -> Mapping[str, Shape]:
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    stored = _cache_directory() / f"aws-schema-{sdk_version()}-{digest}.json"
    try:
        return {token: _shape(each) for token, each in json.loads(stored.read_text()).items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # no cache yet, or malformed
        found = _extract(sdk)
        _store(stored, json.dumps({token: asdict(shape) for token, shape in found.items()}, default=sorted))
        return found


def _extract(sdk: Path) -> dict[str, Shape]:
    found = {token: _resource(sdk, *where) for token, where in RESOURCES.items()}
    found.update({token: _function(sdk, *where) for token, where in FUNCTIONS.items()})
    arguments = _classes(sdk / "provider.py")["ProviderArgs"]
    found[PROVIDER] = Shape(_properties(arguments, _lookup(sdk / "_inputs.py")))
    return found


def _resource(sdk: Path, module: str, name: str) -> Shape:
    source = sdk / f"{module}.py"
    classes = _classes(source)
    lookup = _lookup(source.parent / "_inputs.py")
    secret = re.search(r"additional_secret_outputs=(\[[^\]]*\])", source.read_text())
    return Shape(
        inputs=_properties(classes[f"{name}Args"], lookup),
        required=_required(classes[f"{name}Args"]),
        outputs=tuple(_getters(classes[name])),
        secrets=tuple(ast.literal_eval(secret[1])) if secret else (),
    )


def _function(sdk: Path, module: str, name: str) -> Shape:
    source = sdk / f"{module}.py"
    text = source.read_text()
    function = re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    tree = ast.parse(_cut(text, rf"^def {function}\(").partition(':\n    """')[0] + ": ...")
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)  # noqa: S101 - for the type checker
    wire = {python: name for name, python in re.findall(r"__args__\['(\w+)'\] = (\w+)", text)}
    lookup = _lookup(source.parent / "_inputs.py")
    inputs = {wire[arg.arg]: _type(arg.annotation, lookup) for arg in definition.args.args if arg.arg in wire}
    return Shape(inputs=inputs, outputs=tuple(_getters(_classes(source)[f"{name}Result"])))


def _lookup(source: Path) -> Callable[[str], ast.ClassDef]:
    text = source.read_text()
    return lambda name: _class(_cut(text, rf"^class {name}:"))


def _classes(source: Path) -> dict[str, ast.ClassDef]:
    tree = ast.parse(source.read_text())
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _cut(text: str, start: str) -> str:
    """Return the top-level statement that begins where `start` matches, up to the next statement."""
    begun = re.search(start, text, re.MULTILINE)
    if begun is None:
        raise LookupError(f"pulumi_aws {sdk_version()} has no {start}: this provider knows 7.51")
    ended = re.compile(r"^(?=[@a-zA-Z_])", re.MULTILINE).search(text, begun.end())
    return text[begun.start() : ended.start() if ended else len(text)]


def _class(source: str) -> ast.ClassDef:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.ClassDef)  # noqa: S101 - for the type checker
    return node


def _getters(node: ast.ClassDef) -> dict[str, ast.expr | None]:
    """Return name on the wire and annotation of every property of a generated class."""
    found: dict[str, ast.expr | None] = {}
    for member in node.body:
        if isinstance(member, ast.FunctionDef):
            for decorator in member.decorator_list:
                name = _getter_name(decorator, member.name)
                if name:
                    found[name] = member.returns
    return found


def _getter_name(decorator: ast.expr, default: str) -> str:
    shown = ast.unparse(decorator)
    if shown == "pulumi.getter":
        return default
    named = re.fullmatch(r"pulumi\.getter\(name='(\w+)'\)", shown)
    return named[1] if named else ""


def _required(node: ast.ClassDef) -> frozenset[str]:
    optional = r"pulumi\.Input\[Optional\["
    return frozenset(
        name
        for name, annotation in _getters(node).items()
        if annotation is not None and not re.match(optional, ast.unparse(annotation))
    )


def _properties(node: ast.ClassDef, lookup: Callable[[str], ast.ClassDef]) -> dict[str, Type]:
    return {name: _type(annotation, lookup) for name, annotation in _getters(node).items()}


def _type(annotation: ast.expr | None, lookup: Callable[[str], ast.ClassDef]) -> Type:
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return Type("object", properties=_properties(lookup(annotation.value), lookup))
    if isinstance(annotation, ast.Attribute):
        return Type(_SCALARS.get(annotation.attr, "any"))
    if isinstance(annotation, ast.Subscript):
        return _generic(ast.unparse(annotation.value), annotation.slice, lookup)
    return Type("any")


def _generic(name: str, inside: ast.expr, lookup: Callable[[str], ast.ClassDef]) -> Type:
    inner = inside.elts if isinstance(inside, ast.Tuple) else [inside]
    if name == "Sequence":
        return Type("list", item=_type(inner[0], lookup))
    if name == "Mapping":
        return Type("map", item=_type(inner[1], lookup))
    if name == "Union":  # the SDK lists the plain type first, then the typed alternatives
        first = _type(inner[0], lookup)
        return Type("string", json=True) if first.kind == "string" else first
    return _type(inner[0], lookup)  # pulumi.Input[T], Optional[T]


def _shape(raw: Mapping[str, Any]) -> Shape:
    return Shape(
        inputs={name: _revive(each) for name, each in raw["inputs"].items()},
        required=frozenset(raw["required"]),
        outputs=tuple(raw["outputs"]),
        secrets=tuple(raw["secrets"]),
    )


def _revive(raw: Mapping[str, Any]) -> Type:
    return Type(
        kind=raw["kind"],
        item=_revive(raw["item"]) if raw["item"] else None,
        properties={name: _revive(each) for name, each in raw["properties"].items()},
        json=raw["json"],
    )


def _sdk() -> Path:
    spec = importlib.util.find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("pulumi_aws is not installed: run `uv sync --locked`")
    return Path(spec.origin).parent


def _cache_directory() -> Path:
    return Path(os.environ.get("NODE_NLB_SYNC_CACHE") or Path.home() / ".cache" / "node-nlb-sync")


def _store(path: Path, text: str) -> None:
    """Keep the table for the next start; a failed write costs only time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text)
        partial.replace(path)
    except OSError:
        return
