"""The rights that the stack grants in the cluster beside those that the syncer uses."""

from collections.abc import Iterator

from syncer.cluster.events import Workload
from syncer.cluster.place import Place
from syncer.cluster.rights import Right
from syncer.commands.cluster_checks import needed_rights
from syncer.config.settings import load
from tests.program.world import Record

RBAC = "kubernetes:rbac.authorization.k8s.io/v1"
OWN = "ingress-traefik"


def granted(record: Record) -> Iterator[Right]:
    """Each verb of each rule, where the rule's Role says."""
    for kind in ("Role", "ClusterRole"):
        for role in record.of(f"{RBAC}:{kind}").values():
            for rule in role.inputs["rules"]:
                for group in rule["apiGroups"]:
                    for resource in rule["resources"]:
                        for name in rule.get("resourceNames", [""]):
                            for verb in rule["verbs"]:
                                yield Right(
                                    verb=verb,
                                    resource=resource,
                                    group=group,
                                    namespace=role.inputs["metadata"].get("namespace", ""),
                                    name=name,
                                )


def test_s10_the_stack_grants_what_the_syncer_uses_and_no_other_right(record: Record) -> None:
    told = record.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    group = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/0123456789abcdef"
    ingress = f"{OWN}/traefik-ingress-service-nlb"
    settings = load({**told, "NLB_SYNC_TARGET_GROUPS": f"{group}={ingress}:http"})
    workload = Workload(namespace=OWN, deployment="nlb-sync", pod="nlb-sync-1")
    place = Place(namespace=OWN, name=told["NLB_SYNC_NAME"], identity="nlb-sync-1")
    given = list(granted(record))
    assert len(given) == len(set(given))
    assert set(given) == {right for right, _ in needed_rights(settings, workload, place)}
