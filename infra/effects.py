"""The effect of a change of each key, for docs/keys.md."""

from typing import Final

_IN_PLACE: Final = "in place"
_BALANCER: Final = "refused; with allowReplacement a new load balancer"
_ZONES: Final = "refused; `python -m infra.zones` changes it in place"
_PODS: Final = "new Pods of the syncer"
_SERVICE: Final = "replaces the Service"
_NEW_ADDRESSES: Final = "of new addresses alone"
_RULES: Final = "rules added or removed"
# By path as in the table; a key without an entry has the entry of the nearest key around it.
EFFECTS: Final = {
    "vpcId": "refused; with allowReplacement replaces all AWS resources in it",
    "zones": "in place for a zone more; a zone less: refused, `python -m infra.zones` removes it",
    "zones.*.subnetId": _ZONES,
    "zones.*.allocationId": _ZONES,
    "zones.*.privateAddress": _ZONES,
    "nodeSecurityGroupId": _RULES,
    "nodeSecurityGroupIds": _RULES,
    "nodeSecurityGroupTags": _RULES,
    "targetGroups": "refused in a stack with a load balancer; otherwise new Pods of the syncer",
    "edge": "refused in a stack with a load balancer; otherwise rules added and removed",
    "cluster": "adds, or deletes, the groups, rules, Service, identity and syncer",
    "weight": _IN_PLACE,
    "attachments": _IN_PLACE,
    "loadBalancer": _IN_PLACE,
    "loadBalancer.scheme": _BALANCER,
    "loadBalancer.name": _BALANCER,
    "loadBalancer.clientPrefixLists": _RULES,
    "listeners": "listeners, groups and rules added or removed; new Pods of the syncer",
    "listeners[].name": "in place; new Pods of the syncer",
    "listeners[].port": "a new listener and group; new Pods of the syncer",
    "listeners[].servicePort": "in place; new Pods of the syncer",
    "listeners[].protocol": "in place; to or from UDP or TCP_UDP a new group in its place, and new Pods of "
    "the syncer",
    "listeners[].certificateArns": _IN_PLACE,
    "listeners[].sslPolicy": _IN_PLACE,
    "listeners[].alpnPolicy": _IN_PLACE,
    "listeners[].backendProtocol": "a new group in its place; new Pods of the syncer",
    "listeners[].idleTimeout": _IN_PLACE,
    "listeners[].crossZone": "in place; new Pods of the syncer where the quota changes",
    "listeners[].proxyProtocol": _IN_PLACE,
    "listeners[].stickiness": _IN_PLACE,
    "listeners[].healthCheck": _IN_PLACE,
    "listeners[].targetGroup": "a new group in its place; new Pods of the syncer",
    "dns": "records added or removed",
    "dns.zoneId": "records moved to the zone",
    "dns.evaluateTargetHealth": _IN_PLACE,
    "endpointService": _IN_PLACE,
    "endpointService.enabled": "a service, with a name of its own, added or removed; AWS refuses the removal "
    "while endpoints are connected",
    "endpointService.privateDnsName": "in place; the AWS provider keeps a name that is taken away "
    "(around.md#a-private-dns-name)",
    "alarms": _IN_PLACE,
    "alarms.enabled": "alarms added or removed",
    "healthCheck": _IN_PLACE,
    "targetHealth": _IN_PLACE,
    "addresses": _IN_PLACE,
    "addresses.publicIpv4Pool": _NEW_ADDRESSES,
    "addresses.ipamPoolId": _NEW_ADDRESSES,
    "addresses.release": "released by `python -m infra.zones --apply`",
    "allowReplacement": "no change by itself",
    "clientCidrs": _RULES,
    "firewall": _RULES,
    "connections": _IN_PLACE,
    "deregistrationDelay": _IN_PLACE,
    "crossZone": "in place; new Pods of the syncer",
    "targetQuota": _PODS,
    "ingress": _IN_PLACE,
    "ingress.preset": "that of the keys with values of the preset",
    "ingress.create": "refused while the Service is the stack's own",
    "ingress.healthCheckNodePort": "in place; AWS takes the new port of the check",
    "ingress.namespace": _SERVICE,
    "ingress.name": _SERVICE,
    "preset": _PODS,
    "syncer": _PODS,
    "syncer.namespace": "replaces the syncer",
    "syncer.name": "replaces the syncer",
    "syncer.replicas": _IN_PLACE,
    "identity": "new credentials and new Pods of the syncer",
    "identity.doctorRights": _IN_PLACE,
    "tags": _IN_PLACE,
    "labels": "in place; new Pods of the syncer",
    "annotations": "in place; new Pods of the syncer",
}


def effect(path: str) -> str:
    """Return the effect of a change of the key at `path`. Raises KeyError for a key outside the table."""
    key = path
    while key and key not in EFFECTS:
        key = key.rpartition(".")[0].removesuffix(".*").removesuffix("[]")
    if not key:
        raise KeyError(path)
    return EFFECTS[key]
