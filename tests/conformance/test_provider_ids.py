"""Which instance a providerID names: the forms that the tests of peers know, through `explain -f`."""

from typing import Any

import pytest

from tests.conformance.conftest import Ask
from tests.conformance.documents import listed, node

LONG = "i-0a1b2c3d4e5f60718"

# (whose tests know such a form, the providerID, the instance that it names here).
# CCM is cloud-provider-aws, LBC the AWS Load Balancer Controller, NTH the node termination handler.
INSTANCES = [
    ("CCM instances", f"aws:///eu-central-1a/{LONG}", LONG),
    ("CCM instances", f"aws:////{LONG}", LONG),
    ("CCM instances", LONG, LONG),
    ("CCM instances: ids until 2016", "aws:///us-east-1a/i-0fedcba9", "i-0fedcba9"),
    ("CCM instances: ids until 2016", "aws:////i-0fedcba9", "i-0fedcba9"),
    ("CCM instances: ids until 2016", "i-0fedcba9", "i-0fedcba9"),
    ("CCM instances: 16 digits", "aws:///us-east-1a/i-0123456789abcde0", "i-0123456789abcde0"),
    ("CCM load balancer: the node itself", "aws:///us-east-1a/i-self", "i-self"),
    ("CCM load balancer: 7 letters and digits", "aws:///us-east-1a/i-fedcba1", "i-fedcba1"),
    ("CCM tagging: 4 digits", "aws:///us-east-1a/i-4321", "i-4321"),
    ("CCM instances: an account as host", f"aws://123456789012/us-east-1a/{LONG}", LONG),
    ("LBC node utilities: 8 letters and digits", "aws:///us-west-2b/i-gfedcba9", "i-gfedcba9"),
    ("NTH node: 17 letters and digits", "aws:///us-west-2a/i-0zyx9876wvut5432s", "i-0zyx9876wvut5432s"),
    ("kops: the zone as host", f"aws://eu-central-1a/{LONG}", LONG),
    ("EKS local zone", f"aws:///us-west-2-lax-1a/{LONG}", LONG),
    ("EKS Auto Mode", f"aws:///eu-west-1c/{LONG}", LONG),
    ("documentation: a region for the zone", f"aws:///us-east-1/{LONG}", LONG),
    ("CCM instances v2: GovCloud", f"aws:///us-gov-west-1b/{LONG}", LONG),
    ("CCM instances v2: China", f"aws:///cn-northwest-1c/{LONG}", LONG),
    ("EKS Wavelength zone", f"aws:///us-east-1-wl1-bos-wlz-1/{LONG}", LONG),
    ("Cluster API provider AWS: the id of a zone", f"aws:///use1-az4/{LONG}", LONG),
]

# (whose tests, a providerID that names no instance here, what the peer makes of it where that differs).
NO_INSTANCES = [
    ("CCM instances: a volume", "vol-0a1b2c3d4", ""),
    ("CCM instances: a volume", "aws:///us-east-1a/vol-0a1b2c3d4e5f6", ""),
    ("CCM instances: a volume of an account", "aws://123456789012/us-east-1a/vol-0a1b2c3d4e5f6", ""),
    ("CCM instances: a suffix", "aws:///us-east-1a/vol-0a1b2c3d4e5f6/part", ""),
    (
        "CCM Fargate",
        "aws:///eu-west-1c/9f8e-7d6c/fargate-ip-10-1-2-3.internal",
        "an id, found in no EC2 list",
    ),
    (
        "CCM Fargate: by address",
        "aws:///eu-west-1c/9f8e-7d6c/fargate-10.1.2.3",
        "an id, found in no EC2 list",
    ),
    (
        "EKS Fargate: a whole name",
        "aws:///eu-west-1c/9f8e/fargate-ip-10-1-2-3.eu-west-1.compute.internal",
        "",
    ),
    ("EKS hybrid nodes", "eks-hybrid:///eu-west-1/cluster/mi-0a1b2c3d4e5f60718", ""),
    ("EKS hybrid nodes: a host name", "eks-hybrid:///eu-west-1/cluster/rack-7-node-2", ""),
    ("EKS hybrid nodes: under aws", "aws:///eu-west-1a/mi-0a1b2c3d4e5f60718", ""),
    ("NTH node: a word", "someProvider", ""),
    ("cloud-provider services: a word", "providerID", "takes any"),
    ("Karpenter terminator: a word", "my-provider", ""),
    ("NTH node: one slash", f"aws:/{LONG}", "LBC takes it"),
    ("NTH node: no scheme", f"us-west-2a/{LONG}", "LBC and CCM take it"),
    ("NTH node: a part behind it", f"aws:///us-west-2a/{LONG}/part", ""),
    ("CCM instances: a slash behind it", f"aws:///us-west-2a/{LONG}/", "CCM takes it"),
    ("LBC issue 316: Azure", "azure:///subscriptions/s/resourceGroups/g/virtualMachines/aks-1-0", ""),
    ("CCM instances: another cloud", f"gce://project/europe-west1-b/{LONG}", "LBC takes it"),
    ("kind", "kind://docker/kind/kind-control-plane", ""),
    ("kwok", "kwok://default-worker-1", ""),
    ("LBC issue 3977: RKE2 without a cloud provider", "rke2://amazonec2-workerpool01-9gxf5", "stops"),
    ("LBC issue 3977: k3s", "k3s://ip-10-0-0-1", "stops"),
    ("EKS Anywhere: a Snow device", f"aws-snow:///192.168.1.2/s.{LONG}", ""),
    ("CCM instances: an ARN", f"arn:aws:ec2:eu-west-1:123456789012:instance/{LONG}", "LBC takes it"),
    (
        "LBC issue 316: a machine of Azure that is called so",
        f"azure:///subscriptions/s/{LONG}",
        "LBC takes it",
    ),
    ("Cluster API: other providers", f"openstack:///{LONG}", "LBC takes it"),
    ("Cluster API: other providers", "vsphere://4210a1b2-0000-0000-0000-0123456789ab", ""),
    ("Cluster API: other providers", "metal3://metal3/node-0/node-0", ""),
    ("CCM Fargate: no host", "fargate-ip-10-1-2-3.internal", ""),
    ("CCM instances: an address", "aws:///us-west-2a/10.1.2.3", ""),
    ("no peer: two ids", f"aws:///us-west-2a/{LONG},{LONG}", "LBC takes it"),
    ("no peer: a query behind it", f"aws:///us-west-2a/{LONG}?x", "LBC takes it"),
    ("no peer: other digits", "aws:///us-west-2a/i-\u0660\u0661\u0662\u0663", "LBC, CCM take it"),
    ("no peer: a zero byte", f"aws:///us-west-2a/{LONG}\x00", "LBC takes it"),
    ("LBC issue 328: a host name", "ip-10-7-0-7.eu-west-1.compute.internal", ""),
    ("LBC node utilities: nothing behind i-", "aws:///us-west-2a/i-", "takes it"),
    ("no peer: too many parts", f"aws:///a/b/c/{LONG}", "LBC takes it"),
    ("no peer: upper case, in which AWS lists no id", "aws:///us-west-2a/I-0A1B2C3D4E5F60718", ""),
    (
        "no peer: upper case, in which AWS lists no id",
        "aws:///us-west-2a/i-0A1B2C3D4E5F60718",
        "LBC, CCM take it",
    ),
    ("no peer: a scheme in upper case", f"AWS:///us-west-2a/{LONG}", "LBC takes it"),
    ("no peer: spaces around it", f" aws:///us-west-2a/{LONG} ", ""),
    ("no peer: a line feed behind it", f"aws:///us-west-2a/{LONG}\n", ""),
    ("no peer: nothing but spaces", "   ", ""),
    ("no peer: a number", 4711, ""),
    ("no peer: zero", 0, ""),
    ("no peer: a list", [LONG], ""),
    ("no peer: an object", {"id": LONG}, ""),
    ("no peer: true", True, ""),
    ("no peer: false", False, ""),
]


def explained(ask: Ask, provider_id: Any, **changes: Any) -> dict[str, Any]:
    answer: dict[str, Any] = ask("explain", "-f", node(spec={"providerID": provider_id}, **changes))[0]
    return answer


@pytest.mark.parametrize(("known_by", "provider_id", "instance"), INSTANCES)
def test_a_provider_id_names_an_instance(ask: Ask, known_by: str, provider_id: str, instance: str) -> None:
    assert explained(ask, provider_id) == {
        "node": "node-a",
        "instance_id": instance,
        "verdict": "in",
        "reason": "Ready",
    }, known_by


@pytest.mark.parametrize(("known_by", "provider_id", "peer_says"), NO_INSTANCES)
def test_a_provider_id_that_names_no_instance_is_out_for_good(
    ask: Ask, known_by: str, provider_id: Any, peer_says: str
) -> None:
    assert explained(ask, provider_id) == {
        "node": "node-a",
        "instance_id": None,
        "verdict": "out",
        "reason": "NotAnInstance",
    }, (known_by, peer_says)


@pytest.mark.parametrize("missing", ["", None])
def test_a_node_whose_provider_id_is_empty_is_looked_at_again(ask: Ask, missing: str | None) -> None:
    """Of the service controller's tests "providerID unset" and LBC's "node without providerID"."""
    assert explained(ask, missing)["reason"] == "NoProviderID"


def test_one_bad_node_harms_no_other(ask: Ask) -> None:
    """LBC resolves no endpoint at all while one selected Node has a bad id; NTH and CCM pass over it."""
    bad = [node("b", spec={"providerID": each}) for _, each, _ in NO_INSTANCES]
    answers = ask("explain", "-f", listed(node("a"), *bad, node("c")))
    assert [each["verdict"] for each in answers] == ["in", *["out"] * len(bad), "in"]
