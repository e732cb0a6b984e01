"""Listeners and their groups: TLS, idle timeout, health checks and attributes of the groups."""

from typing import Any

import pytest
from pulumi.output import Unknown

from tests.program.test_program import (
    EGRESS_RULE,
    INGRESS_RULE,
    LISTENER,
    NODES_GROUP,
    TARGET_GROUP,
    rules,
)
from tests.program.world import CHECK, NODE_PORTS, Config, Record, RunProgram
from tests.unit.infra.test_settings import MINIMAL, lines, read

SERVICE = "kubernetes:core/v1:Service"
CERTIFICATE = "aws:lb/listenerCertificate:ListenerCertificate"
ARNS = [f"arn:aws:acm:eu-central-1:123456789012:certificate/{number}" for number in range(3)]
HTTP = {"name": "http", "port": 80, "servicePort": "http"}
SECURE = {
    "name": "tls",
    "port": 443,
    "servicePort": "http",
    "protocol": "TLS",
    "certificateArns": ARNS,
    "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "alpnPolicy": "HTTP2Preferred",
}


def listeners(config: Config, *rows: dict[str, Any]) -> None:
    config["node-nlb-sync:listeners"] = list(rows)


def group(record: Record, port: int) -> dict[str, Any]:
    return record.of(TARGET_GROUP)[f"node-nlb-{port}"].inputs


def test_without_the_keys_listener_and_group_are_what_they_were(record: Record) -> None:
    listener = record.of(LISTENER)["node-nlb-443"].inputs
    assert {name: value for name, value in listener.items() if name not in {"defaultActions", "tags"}} == {
        "loadBalancerArn": listener["loadBalancerArn"],
        "port": 443,
        "protocol": "TCP",
        "tcpIdleTimeoutSeconds": 350,
    }
    found = group(record, 443)
    assert (found["protocol"], found["proxyProtocolV2"]) == ("TCP", False)
    assert found["loadBalancingCrossZoneEnabled"] == "use_load_balancer_configuration"
    assert found["stickiness"] == {"enabled": False, "type": "source_ip"}
    assert found["targetGroupHealth"] == limits("1", "off", 1, "off")
    assert record.of(CERTIFICATE) == {}


def test_a_tls_listener_has_its_certificates_and_policies(run_program: RunProgram, config: Config) -> None:
    listeners(config, HTTP, {**SECURE, "backendProtocol": "TLS"})
    record = run_program()
    found = record.of(LISTENER)["node-nlb-443"].inputs
    assert (found["protocol"], found["certificateArn"]) == ("TLS", ARNS[0])
    assert (found["sslPolicy"], found["alpnPolicy"]) == (SECURE["sslPolicy"], "HTTP2Preferred")
    assert {item.inputs["certificateArn"] for item in record.of(CERTIFICATE).values()} == set(ARNS[1:])
    assert group(record, 443)["protocol"] == "TLS"
    assert "stickiness" not in group(record, 443)


def test_a_tls_listener_without_a_policy_has_that_of_the_project(
    run_program: RunProgram, config: Config
) -> None:
    listeners(config, {key: value for key, value in SECURE.items() if key != "sslPolicy"})
    found = run_program().of(LISTENER)["node-nlb-443"].inputs
    assert found["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
    assert "tcpIdleTimeoutSeconds" not in found


DNS = {"name": "dns", "port": 53, "servicePort": "dns"}
PORTS = [
    {"name": "http", "port": 80},
    {"name": "dns", "port": 53, "protocol": "TCP_UDP", "nodePort": 30053},
    {"name": "quic", "port": 443, "protocol": "UDP"},
]


def test_a_udp_listener_has_a_group_rules_and_a_service_port_of_udp(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:ingress"]["ports"] = PORTS
    config["node-nlb-sync:connections"] = {"preserveClientIp": False}
    quic = {"name": "quic", "port": 443, "servicePort": "quic", "protocol": "UDP"}
    listeners(config, HTTP, quic, {**DNS, "protocol": "TCP_UDP"})
    record = run_program()
    for port, protocol in ((443, "UDP"), (53, "TCP_UDP")):
        assert record.of(LISTENER)[f"node-nlb-{port}"].inputs["protocol"] == protocol
        found = group(record, port)
        assert (found["protocol"], found["targetType"]) == (protocol, "instance")
        assert (found["preserveClientIp"], found["connectionTermination"]) == ("true", True)
        assert "targetHealthStates" not in found
        assert (found["healthCheck"]["protocol"], found["healthCheck"]["port"]) == ("HTTP", "31080")
    assert group(record, 80)["preserveClientIp"] == "false"
    made = record.one(SERVICE).inputs["spec"]["ports"]
    assert [(each["name"], each["port"], each["protocol"], each.get("nodePort")) for each in made] == [
        ("http", 80, "TCP", None),
        ("dns", 53, "TCP", 30053),
        ("dns-udp", 53, "UDP", 30053),
        ("quic", 443, "UDP", None),
    ]
    into = {
        (item.inputs["ipProtocol"], item.inputs["fromPort"])
        for item in record.of(INGRESS_RULE).values()
        if item.inputs["securityGroupId"] == NODES_GROUP
    }
    assert into == {("tcp", 31080), ("tcp", 30053), ("udp", 30053), ("udp", 31999)}
    clients = {
        (item.inputs["ipProtocol"], item.inputs["fromPort"])
        for item in record.of(INGRESS_RULE).values()
        if item.inputs["securityGroupId"] == "sg-node-nlb"
    }
    assert clients == {("tcp", 80), ("udp", 443), ("tcp", 53), ("udp", 53)}
    out = {(item.inputs["ipProtocol"], item.inputs["fromPort"]) for item in record.of(EGRESS_RULE).values()}
    assert out == into
    assert record.outputs["syncerTargetGroups"].endswith("nlb:dns")


def test_an_adopted_service_must_have_the_protocols_of_the_keys(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:ingress"] = {
        "create": False,
        "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}],
    }
    listeners(config, HTTP, {**DNS, "protocol": "UDP"})
    with pytest.raises(Exception, match=r"ingress\.ports\[1\]\.protocol: read UDP, where the port of .* TCP"):
        run_program(adopted={"http": 30001, "dns": 30053})


def test_several_listeners_may_lead_to_one_ingress_port(run_program: RunProgram, config: Config) -> None:
    listeners(config, HTTP, {**HTTP, "name": "alt", "port": 8080})
    record = run_program()
    arns = record.outputs["targetGroups"]
    service = "ingress-traefik/traefik-ingress-service-nlb"
    assert (
        record.outputs["syncerTargetGroups"] == f"{arns['http']}={service}:http,{arns['alt']}={service}:http"
    )
    assert rules(record, INGRESS_RULE, NODES_GROUP) == {(31080, "sg-node-nlb")}
    assert rules(record, INGRESS_RULE, "sg-node-nlb") == {(80, "0.0.0.0/0"), (8080, "0.0.0.0/0")}


def test_keys_of_a_listener_reach_its_own_group_alone(run_program: RunProgram, config: Config) -> None:
    own = {"idleTimeout": 600, "crossZone": False, "proxyProtocol": True, "stickiness": True}
    listeners(config, HTTP, {**HTTP, "name": "own", "port": 81, **own})
    record = run_program()
    assert record.of(LISTENER)["node-nlb-81"].inputs["tcpIdleTimeoutSeconds"] == 600
    assert record.of(LISTENER)["node-nlb-80"].inputs["tcpIdleTimeoutSeconds"] == 350
    found = group(record, 81)
    assert (found["loadBalancingCrossZoneEnabled"], found["proxyProtocolV2"]) == ("false", True)
    assert found["stickiness"] == {"enabled": True, "type": "source_ip"}
    assert group(record, 80)["stickiness"]["enabled"] is False


@pytest.mark.parametrize(
    ("common", "own", "told"),
    [(False, [None, None], ("false", "750")), (True, [None, False], ("false", "250"))],
    ids=["off", "on for one group"],
)
def test_the_syncer_plans_for_the_narrower_quota(
    run_program: RunProgram, config: Config, common: bool, own: list[bool | None], told: tuple[str, str]
) -> None:
    config["node-nlb-sync:crossZone"] = common
    listeners(config, *({**HTTP, "port": 80 + n, "name": f"l{n}", "crossZone": own[n]} for n in (0, 1)))
    data = run_program().one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert (data["NLB_SYNC_CROSS_ZONE"], data["NLB_SYNC_TARGET_LIMIT"]) == told


@pytest.mark.parametrize(
    ("check", "sent"),
    [
        ({}, {"protocol": "HTTP", "port": str(NODE_PORTS["http"]), "path": "/ping"}),
        ({"port": "kube-proxy"}, {"protocol": "HTTP", "port": "10256", "path": "/healthz"}),
        ({"port": 32001, "protocol": "HTTPS"}, {"protocol": "HTTPS", "port": "32001", "path": "/ping"}),
        ({"port": "traffic-port", "protocol": "TCP"}, {"protocol": "TCP", "port": "traffic-port"}),
    ],
    ids=["ingress", "kube-proxy", "number", "traffic port"],
)
def test_the_health_check_asks_the_port_that_is_named(
    run_program: RunProgram, config: Config, check: dict[str, Any], sent: dict[str, Any]
) -> None:
    config["node-nlb-sync:healthCheck"] = check
    record = run_program()
    for port in (80, 443):
        found = group(record, port)["healthCheck"]
        assert {name: found.get(name) for name in ("protocol", "port", "path")} == {"path": None, **sent}
        assert ("matcher" in found) == (sent["protocol"] != "TCP")


def test_the_node_firewall_opens_the_port_of_the_check(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:healthCheck"] = {"port": "kube-proxy"}
    listeners(config, {**HTTP, "port": 8443, "servicePort": "https"})
    record = run_program()
    assert rules(record, INGRESS_RULE, NODES_GROUP) == {(10256, "sg-node-nlb"), (31443, "sg-node-nlb")}
    assert rules(record, EGRESS_RULE, "sg-node-nlb") == {(10256, NODES_GROUP), (31443, NODES_GROUP)}
    assert "node-nlb-check-10256-to-nodes" in record.of(EGRESS_RULE)


def test_a_local_check_asks_the_health_check_node_port_of_the_service(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:healthCheck"] = {"port": "local", "matcher": "200"}
    record = run_program()
    spec = record.one(SERVICE).inputs["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("LoadBalancer", "Local")
    assert spec["loadBalancerClass"] == "node-nlb-sync/static"
    assert "healthCheckNodePort" not in spec
    for port in (80, 443):
        found = group(record, port)["healthCheck"]
        assert (found["protocol"], found["port"], found["path"]) == ("HTTP", str(CHECK), "/healthz")
    opened = {(31080, "sg-node-nlb"), (31443, "sg-node-nlb"), (CHECK, "sg-node-nlb")}
    assert rules(record, INGRESS_RULE, NODES_GROUP) == opened
    assert (CHECK, NODES_GROUP) in rules(record, EGRESS_RULE, "sg-node-nlb")
    assert record.outputs["nodePorts"] == NODE_PORTS
    fixed = {**config["node-nlb-sync:ingress"], "healthCheckNodePort": 32001}
    config["node-nlb-sync:ingress"] = fixed
    assert run_program().one(SERVICE).inputs["spec"]["healthCheckNodePort"] == 32001


def test_without_a_local_check_the_service_is_a_node_port(record: Record) -> None:
    spec = record.one(SERVICE).inputs["spec"]
    assert spec["type"] == "NodePort"
    assert not {"externalTrafficPolicy", "loadBalancerClass", "healthCheckNodePort"} & spec.keys()


def test_the_preview_of_a_local_check_has_no_port_yet(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:healthCheck"] = {"port": "local"}
    record = run_program(preview=True)
    assert isinstance(group(record, 80)["healthCheck"]["port"], Unknown)


def test_one_listener_may_have_the_local_check(run_program: RunProgram, config: Config) -> None:
    listeners(config, HTTP, {**HTTP, "name": "own", "port": 81, "healthCheck": {"port": "local"}})
    record = run_program()
    assert [group(record, port)["healthCheck"]["port"] for port in (80, 81)] == ["31080", str(CHECK)]
    assert record.one(SERVICE).inputs["spec"]["externalTrafficPolicy"] == "Local"


def test_an_adopted_service_must_have_a_health_check_node_port(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:healthCheck"] = {"port": "local"}
    config["node-nlb-sync:ingress"] = {"create": False}
    adopted = {"http": 30001, "https": 30002}
    record = run_program(adopted=adopted, local=True)
    assert group(record, 80)["healthCheck"]["port"] == str(CHECK)
    with pytest.raises(Exception, match=r"healthCheck\.port: read local, and the Service .* is a NodePort"):
        run_program(adopted=adopted)


def test_a_check_on_a_fixed_node_port_makes_no_second_rule(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:ingress"]["ports"] = [
        {"name": "http", "port": 80, "nodePort": 31080},
        {"name": "https", "port": 443, "nodePort": 31443},
    ]
    config["node-nlb-sync:healthCheck"] = {"port": 31080}
    record = run_program()
    opened = sorted(item.inputs["fromPort"] for item in record.of(EGRESS_RULE).values())
    assert opened == [31080, 31443]


def test_a_listener_has_a_check_of_its_own_beside_the_common_one(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:healthCheck"] = {"port": "kube-proxy", "interval": 20}
    own = {"servicePort": "https", "protocol": "HTTPS", "path": "/ready"}
    listeners(config, HTTP, {**HTTP, "name": "own", "port": 81, "healthCheck": own})
    record = run_program()
    found = group(record, 81)["healthCheck"]
    assert (found["port"], found["protocol"], found["path"]) == (str(NODE_PORTS["https"]), "HTTPS", "/ready")
    assert (found["interval"], group(record, 80)["healthCheck"]["port"]) == (20, "10256")
    ports = {port for port, _ in rules(record, INGRESS_RULE, NODES_GROUP)}
    assert ports == {31080, 31443, 10256}


def test_limits_of_healthy_targets_are_sent_as_a_whole(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:targetHealth"] = {"dnsFailoverCount": 3, "unhealthyRoutingPercentage": 20}
    config["node-nlb-sync:targetHealth"]["dnsFailoverPercentage"] = 50
    assert group(run_program(), 80)["targetGroupHealth"] == limits("3", "50", 1, "20")


def limits(dns: str, dns_share: str, routing: int, routing_share: str) -> dict[str, Any]:
    return {
        "dnsFailover": {"minimumHealthyTargetsCount": dns, "minimumHealthyTargetsPercentage": dns_share},
        "unhealthyStateRouting": {
            "minimumHealthyTargetsCount": routing,
            "minimumHealthyTargetsPercentage": routing_share,
        },
    }


def row(**keys: Any) -> dict[str, Any]:
    return {"listeners": [{**HTTP, **keys}]}


def udp(protocol: str = "", **keys: Any) -> dict[str, Any]:
    """A UDP listener, and an ingress port of `protocol`; without a protocol the listener's port is http."""
    if not protocol:
        return row(protocol="UDP", **keys)
    ports = [{"name": "dns", "port": 53, "protocol": protocol}, {"name": "http", "port": 80}]
    found = row(protocol=protocol, servicePort="dns", **keys)
    return {**found, "ingress": {"ports": ports}}


def tls(**keys: Any) -> dict[str, Any]:
    return row(**{"protocol": "TLS", "certificateArns": ARNS, **keys})


@pytest.mark.parametrize(
    ("change", "start"),
    [
        (tls(certificateArns=[]), "listeners[0].certificateArns: read an empty list; allowed: at least one"),
        (row(certificateArns=ARNS[:1]), "listeners[0].certificateArns: read a list; allowed: none without"),
        (row(sslPolicy=SECURE["sslPolicy"]), "listeners[0].sslPolicy: read "),
        (row(alpnPolicy="None"), "listeners[0].alpnPolicy: read "),
        (row(backendProtocol="TLS"), "listeners[0].backendProtocol: read "),
        (tls(idleTimeout=60), "listeners[0].idleTimeout: read 60; allowed: none with protocol TLS"),
        (tls(stickiness=True), "listeners[0].stickiness: read true; allowed: false with protocol TLS"),
        (tls(certificateArns=[ARNS[0], ARNS[0]]), "listeners[0].certificateArns[1]: read "),
        (
            {**tls(), "loadBalancer": {"minimumCapacity": 10}},
            "loadBalancer.minimumCapacity: read 10; allowed: 0 or null beside a TLS listener",
        ),
        (
            row(healthCheck={"servicePort": "ping"}),
            'listeners[0].healthCheck.servicePort: read "ping"; allowed: one of ingress.ports: http, https',
        ),
        (
            row(healthCheck={"timeout": 20}),
            "listeners[0].healthCheck.timeout: read 20; allowed: at most listeners[0].healthCheck.interval",
        ),
        (udp(), "listeners[0].protocol: read UDP; allowed: a protocol of ingress port http, TCP"),
        (udp("UDP", idleTimeout=61), "listeners[0].idleTimeout: read 61; allowed: none with protocol UDP"),
        (
            udp("UDP", healthCheck={"port": "traffic-port"}),
            "listeners[0].healthCheck.port: read traffic-port; allowed: another port for a listener of UDP",
        ),
        (
            {**udp("UDP"), "healthCheck": {"servicePort": "dns"}},
            "healthCheck.servicePort: read dns, a UDP port; allowed: a port with protocol TCP or TCP_UDP",
        ),
        (udp("TCP_UDP"), "ingress.ports[0].nodePort: read nothing; allowed: a number with protocol TCP_UDP"),
        (
            {"healthCheck": {"port": "ping"}},
            'healthCheck.port: read "ping"; allowed: kube-proxy, local, traf',
        ),
        ({"healthCheck": {"port": 65536}}, "healthCheck.port: read 65536; allowed: kube-proxy, local, traf"),
        (
            {"targetHealth": {"dnsFailoverCount": 1, "unhealthyRoutingCount": 2}},
            "targetHealth.unhealthyRoutingCount: read 2; allowed: at most targetHealth.dnsFailoverCount, 1",
        ),
        (
            {"targetHealth": {"dnsFailoverPercentage": 10, "unhealthyRoutingPercentage": 20}},
            "targetHealth.unhealthyRoutingPercentage: read 20; allowed: at most",
        ),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)
def test_what_aws_would_refuse_is_one_line(change: dict[str, Any], start: str) -> None:
    (line,) = lines({**MINIMAL, **change})
    assert line.startswith(f"node-nlb-sync:{start}")
    assert "; fix: " in line


def test_the_number_of_a_port_may_be_text_or_a_number() -> None:
    for number in (10256, "10256"):
        assert read({**MINIMAL, "healthCheck": {"port": number}}).health_check.node_port == 10256


def test_a_certificate_of_another_region_is_refused_before_the_first_resource() -> None:
    iam = "arn:aws:iam::123456789012:server-certificate/web"
    far = ARNS[1].replace("eu-central-1", "us-east-1")
    config = {**MINIMAL, "listeners": [HTTP, {**SECURE, "certificateArns": [iam, ARNS[0], far]}]}
    (line,) = lines(config)
    assert line.startswith(
        "node-nlb-sync:listeners[1].certificateArns[2]: read a certificate of us-east-1; "
        "allowed: certificates of eu-central-1; fix: give a certificate of eu-central-1"
    )
