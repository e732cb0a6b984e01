"""aws:ec2/securityGroup:SecurityGroup (internal/service/ec2/vpc_security_group.go)."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sandbox.plugins.aws import tags
from sandbox.plugins.aws.handler import CREATE_S
from sandbox.plugins.aws.names import prefix_of, unique
from sandbox.plugins.aws.session import Aws, AwsError, doing, tolerating
from sandbox.plugins.values import PropertyMap

_GONE: Final = ("InvalidGroup.NotFound", "InvalidGroupId.Malformed")
_STILL_USED: Final = frozenset({"DependencyViolation", "InvalidGroup.InUse"})
# resourceSecurityGroupDelete: 15 minutes by default, in two parts. The first part is constant; with a timeout
# below the first part, 30 s remain for the second.
_DELETE_S: Final = 900.0
_FIRST_PART_S: Final = 60.0
_LEAST_SECOND_PART_S: Final = 30.0
_SOURCES: Final = (
    ("cidrBlocks", "IpRanges", "CidrIp"),
    ("ipv6CidrBlocks", "Ipv6Ranges", "CidrIpv6"),
    ("prefixListIds", "PrefixListIds", "PrefixListId"),
    ("securityGroups", "UserIdGroupPairs", "GroupId"),
)

_Atom = tuple[str, int, int, str, str, str]  # protocol, from, to, kind of source, source, description


class SecurityGroup:
    """A security group of a VPC, with inline rules where declared by the program."""

    def create(self, aws: Aws, inputs: PropertyMap) -> tuple[str, PropertyMap]:
        """CreateSecurityGroup."""
        name = inputs.get("name") or unique(inputs.get("namePrefix"))
        asked: dict[str, Any] = {
            "VpcId": inputs.get("vpcId"),
            "TagSpecifications": tags.specification("security-group", inputs["tagsAll"]),
        }
        with doing(f"creating Security Group ({name})"):
            made = aws.ec2.create_security_group(
                GroupName=name,
                Description=inputs["description"],
                **{key: value for key, value in asked.items() if value},
            )
        return made["GroupId"], {}

    def settle(self, aws: Aws, ident: str, inputs: PropertyMap, timeout_s: float) -> None:
        """Remove AWS's egress rule of every new group, then add the program's rules."""
        aws.wait(
            lambda: _find(aws, ident) is not None,
            timeout_s or CREATE_S,
            f"waiting for Security Group ({ident}) create",
        )
        group = _find(aws, ident) or {}
        if group.get("IpPermissionsEgress"):
            with doing(f"revoking default egress rule for Security Group ({ident})"):
                aws.ec2.revoke_security_group_egress(
                    GroupId=ident, IpPermissions=_permissions(_atoms_found(group["IpPermissionsEgress"]))
                )
        for block in ("ingress", "egress"):
            _change(aws, ident, block, set(), set(_atoms_wanted(ident, inputs.get(block) or ())))

    def read(self, aws: Aws, ident: str, prior: PropertyMap) -> PropertyMap | None:
        """DescribeSecurityGroups; equivalent rules keep the program's notation."""
        found = _find(aws, ident)
        if found is None:
            return None
        account = found.get("OwnerId", aws.account)
        return {
            "arn": f"arn:{aws.partition}:ec2:{aws.region}:{account}:security-group/{ident}",
            "description": found["Description"],
            "name": found["GroupName"],
            "namePrefix": prefix_of(found["GroupName"]),
            "ownerId": account,
            "vpcId": found.get("VpcId"),
            "ingress": _blocks(ident, prior.get("ingress"), found.get("IpPermissions", [])),
            "egress": _blocks(ident, prior.get("egress"), found.get("IpPermissionsEgress", [])),
            **tags.as_properties(aws, found.get("Tags", []), prior),
        }

    def update(
        self, aws: Aws, ident: str, old: PropertyMap, new: PropertyMap, changed: frozenset[str]
    ) -> str:
        """Update tags and inline rules."""
        for block in ("ingress", "egress"):
            if block in changed:
                before = set(_atoms_wanted(ident, old.get(block) or ()))
                _change(aws, ident, block, before, set(_atoms_wanted(ident, new.get(block) or ())))
        if "tagsAll" in changed:
            tags.update_ec2(aws, ident, old.get("tagsAll", {}), new["tagsAll"], "Security Group")
        return ident

    def delete(self, aws: Aws, ident: str, state: PropertyMap, timeout_s: float) -> None:
        """DeleteSecurityGroup, with retries while the group is in use."""
        if state.get("revokeRulesOnDelete"):
            _revoke_all(aws, ident)

        def remove() -> None:
            with doing(f"deleting Security Group ({ident})"):
                aws.ec2.delete_security_group(GroupId=ident)

        with tolerating(*_GONE):
            aws.retry(remove, _STILL_USED, patience(timeout_s))


def patience(timeout_s: float) -> float:
    """Return the seconds of deletion retries; `timeout_s` is the program's, 0 for no timeout."""
    wanted = timeout_s or _DELETE_S
    return wanted if wanted >= _FIRST_PART_S else _FIRST_PART_S + _LEAST_SECOND_PART_S


def _find(aws: Aws, ident: str) -> Any:
    try:
        with doing(f"reading Security Group ({ident})"):
            found = aws.ec2.describe_security_groups(GroupIds=[ident])["SecurityGroups"]
    except AwsError as error:
        if error.code not in _GONE:
            raise
        return None
    return found[0] if found else None


def _revoke_all(aws: Aws, ident: str) -> None:
    group = _find(aws, ident) or {}
    for block, key in (("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")):
        _change(aws, ident, block, set(_atoms_found(group.get(key, []))), set())


def _change(aws: Aws, ident: str, block: str, old: set[_Atom], new: set[_Atom]) -> None:
    """Revoke surplus rules, then authorize new rules."""
    if gone := old - new:
        with tolerating("InvalidPermission.NotFound"), doing(f"revoking {block} rules of ({ident})"):
            revoke = {
                "ingress": aws.ec2.revoke_security_group_ingress,
                "egress": aws.ec2.revoke_security_group_egress,
            }[block]
            revoke(GroupId=ident, IpPermissions=_permissions(gone))
    if added := new - old:
        with doing(f"authorizing Security Group ({ident}) {block} rules"):
            authorize = {
                "ingress": aws.ec2.authorize_security_group_ingress,
                "egress": aws.ec2.authorize_security_group_egress,
            }[block]
            authorize(GroupId=ident, IpPermissions=_permissions(added))


def _blocks(ident: str, prior: Any, found: list[Any]) -> list[PropertyMap]:
    atoms = set(_atoms_found(found))
    if isinstance(prior, list) and set(_atoms_wanted(ident, prior)) == atoms:
        return prior
    return [_block(atom, ident) for atom in sorted(atoms)]


def _block(atom: _Atom, ident: str) -> PropertyMap:
    protocol, first, last, kind, source, description = atom
    block: PropertyMap = {
        "protocol": protocol,
        "fromPort": first,
        "toPort": last,
        "description": description,
        "self": kind == "securityGroups" and source == ident,
        "cidrBlocks": [],
        "ipv6CidrBlocks": [],
        "prefixListIds": [],
        "securityGroups": [],
    }
    if not block["self"]:
        block[kind] = [source]
    return block


def _atoms_wanted(ident: str, blocks: Iterable[Mapping[str, Any]]) -> Iterator[_Atom]:
    """Yield an atom for every source of every block in the program."""
    for block in blocks:
        head = (_protocol(block["protocol"]), int(block["fromPort"]), int(block["toPort"]))
        description = block.get("description") or ""
        for key, _list, _field in _SOURCES:
            for source in block.get(key) or ():
                yield (*head, key, source, description)
        if block.get("self"):
            yield (*head, "securityGroups", ident, description)


def _atoms_found(permissions: Iterable[Mapping[str, Any]]) -> Iterator[_Atom]:
    for each in permissions:
        head = (_protocol(each["IpProtocol"]), int(each.get("FromPort", 0)), int(each.get("ToPort", 0)))
        if head[0] == "-1":
            head = ("-1", 0, 0)  # all ports: AWS omits the ports or returns -1
        for key, listed, name in _SOURCES:
            for source in each.get(listed, []):
                yield (*head, key, source[name], source.get("Description") or "")


def _permissions(atoms: Iterable[_Atom]) -> list[Any]:
    fields = {key: (listed, name) for key, listed, name in _SOURCES}
    found = []
    for protocol, first, last, kind, source, description in sorted(atoms):
        listed, name = fields[kind]
        value = {name: source, **({"Description": description} if description else {})}
        ports = {} if protocol == "-1" else {"FromPort": first, "ToPort": last}
        found.append({"IpProtocol": protocol, **ports, listed: [value]})
    return found


def _protocol(value: Any) -> str:
    """protocolStateFunc: names in lower case, and `all` is -1."""
    text = str(value).lower()
    return {"all": "-1", "6": "tcp", "17": "udp", "1": "icmp"}.get(text, text)
