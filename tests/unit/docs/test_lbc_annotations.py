"""docs/lbc-annotations.md: its keys are keys of the stack, and each annotation has a row."""

import re
from pathlib import Path

from infra.keytable import table

PAGE = (Path(__file__).resolve().parents[3] / "docs/lbc-annotations.md").read_text()
ROW = re.compile(r"^\| `(?P<name>[a-z0-9-]+)` \| (?P<keys>.+?) \| (?P<notes>.*)\|$", re.MULTILINE)
# pkg/annotations/constants.go of v3.5.0, SvcLBSuffix*; and `actions.PROTOCOL-PORT`.
PREFIX = "aws-load-balancer-"
ANNOTATIONS = {
    "load-balancer-source-ranges",
    "actions",
    *(
        f"{PREFIX}{name}"
        for name in [
            "type",
            "nlb-target-type",
            "name",
            "scheme",
            "internal",
            "proxy-protocol",
            "proxy-protocol-per-target-group",
            "ip-address-type",
            "access-log-enabled",
            "access-log-s3-bucket-name",
            "access-log-s3-bucket-prefix",
            "cross-zone-load-balancing-enabled",
            "ssl-cert",
            "ssl-ports",
            "ssl-negotiation-policy",
            "backend-protocol",
            "additional-resource-tags",
            "healthcheck-healthy-threshold",
            "healthcheck-unhealthy-threshold",
            "healthcheck-timeout",
            "healthcheck-interval",
            "healthcheck-protocol",
            "healthcheck-port",
            "healthcheck-path",
            "healthcheck-success-codes",
            "target-group-attributes",
            "subnets",
            "eip-allocations",
            "private-ipv4-addresses",
            "ipv6-addresses",
            "alpn-policy",
            "target-node-labels",
            "attributes",
            "security-groups",
            "manage-backend-security-group-rules",
            "inbound-sg-rules-on-private-link-traffic",
            "security-group-prefix-lists",
            "listener-attributes",
            "multi-cluster-target-group",
            "enable-prefix-for-ipv6-source-nat",
            "source-nat-ipv6-prefixes",
            "minimum-load-balancer-capacity",
            "enable-icmp-for-path-mtu-discovery",
            "enable-tcp-udp-listener",
            "disable-nlb-sg",
            "quic-enabled-ports",
        ]
    ),
}


def test_each_annotation_has_a_row() -> None:
    names = [row["name"] for row in ROW.finditer(PAGE)]
    assert len(names) == len(set(names))
    assert set(names) == ANNOTATIONS


def test_each_row_has_real_keys_or_a_reason() -> None:
    keys = {line.split("`")[1] for line in table().splitlines()[2:]}
    for row in ROW.finditer(PAGE):
        if row["keys"] == "-":
            assert row["notes"].strip(), row["name"]
        else:
            assert set(re.findall("`([^`]+)`", row["keys"])) <= keys, row["name"]
