"""Values that AWS or Kubernetes would refuse after the first resource, each refused in one line."""

from typing import Any

import pytest

from infra.combinations import MOST_LISTENERS
from tests.unit.infra.test_settings import MINIMAL, changed, lines, read

PREFIX = "node-nlb-sync:"


def refused(config: dict[str, Any]) -> str:
    """The only line, without the project's name."""
    (line,) = lines(config)
    assert line.startswith(PREFIX)
    return line.removeprefix(PREFIX)


def syncer(**keys: Any) -> dict[str, Any]:
    return changed(lambda config: config["syncer"].update(keys))


def ports(*node_ports: int | None, **keys: Any) -> dict[str, Any]:
    rows = [
        {"name": name, "port": port, **({} if node_port is None else {"nodePort": node_port})}
        for (name, port), node_port in zip((("http", 80), ("https", 443)), node_ports, strict=True)
    ]
    return {**syncer(), "ingress": {"ports": rows, **keys}}


def listeners(number: int) -> list[dict[str, Any]]:
    return [{"name": f"a{port}", "port": port, "servicePort": "http"} for port in range(1, number + 1)]


NETWORKS = "allowed: a network such as 203.0.113.0/24 or 2001:db8::/32"
LINES: list[tuple[dict[str, Any], str]] = [
    (
        {"clientCidrs": ["203.0.113.4"]},
        (
            f'clientCidrs[0]: read "203.0.113.4"; {NETWORKS}; fix: pulumi config set --path '
            "'node-nlb-sync:clientCidrs[0]' 203.0.113.4/32"
        ),
    ),
    (
        {"clientCidrs": ["203.0.113.4/255.255.255.0"]},
        (
            f'clientCidrs[0]: read "203.0.113.4/255.255.255.0"; {NETWORKS}; fix: pulumi config set --path '
            "'node-nlb-sync:clientCidrs[0]' 203.0.113.0/24"
        ),
    ),
    (
        {"clientCidrs": ["10.0.0.0/8", "2001:db8::1"]},
        (
            f'clientCidrs[1]: read "2001:db8::1"; {NETWORKS}; fix: pulumi config set --path '
            "'node-nlb-sync:clientCidrs[1]' 2001:db8::1/128"
        ),
    ),
    (
        {"clientCidrs": ["everybody"]},
        (
            f'clientCidrs[0]: read "everybody"; {NETWORKS}; fix: pulumi config set --path '
            "'node-nlb-sync:clientCidrs[0]' 203.0.113.0/24"
        ),
    ),
    (
        {"clientCidrs": ["10.0.0.0/8", "0.0.0.0/0", "10.0.0.0/8"]},
        (
            'clientCidrs[2]: read "10.0.0.0/8" a second time; allowed: each network once; fix: remove '
            "clientCidrs[2]"
        ),
    ),
    (
        {"firewall": "any"},
        (
            'firewall: read "any"; allowed: an object with the keys source; fix: write it as key: '
            "value lines in "
            "Pulumi.<stack>.yaml"
        ),
    ),
    (
        {"tags": ""},
        (
            'tags: read ""; allowed: at most 50 with those of the stack; keys of at most 128 characters that '
            "do not begin with aws:, with string values; fix: pulumi config rm node-nlb-sync:tags, or write "
            "it as key: value lines in Pulumi.<stack>.yaml"
        ),
    ),
    (
        {"clientCidrs": ""},
        (
            'clientCidrs: read ""; allowed: a list of networks, IPv6 with '
            "loadBalancer.ipAddressType dualstack; empty only beside loadBalancer.clientPrefixLists or "
            "securityGroupIds; fix: pulumi config rm "
            "node-nlb-sync:clientCidrs, or write it as a list in Pulumi.<stack>.yaml"
        ),
    ),
    (
        {"listeners": ""},
        (
            'listeners: read ""; allowed: a list of listeners; fix: write it as a list in '
            "Pulumi.<stack>.yaml, with at least 1"
        ),
    ),
    (
        {"connections": []},
        (
            "connections: read []; allowed: an object with the keys endWhenUnhealthy, endWithDrain, "
            "preserveClientIp; fix: write it as key: value lines in Pulumi.<stack>.yaml"
        ),
    ),
    (
        {"tags": {"team": ["a"]}},
        (
            'tags.team: read ["a"]; allowed: a tag\'s value in quotes, at most 256 letters, digits, '
            "spaces and "
            "_.:/=+-@; fix: pulumi config set --type string --path 'node-nlb-sync:tags.team' <value>"
        ),
    ),
    (
        syncer(nodeSelector={"role": {"a": "b"}}),
        (
            'syncer.nodeSelector.role: read {"a": "b"}; allowed: a string; write numbers and '
            "true/false in quotes; "
            "fix: pulumi config set --type string --path 'node-nlb-sync:syncer.nodeSelector.role' <value>"
        ),
    ),
    (
        {"listeners": [{"name": "http", "servicePort": "http"}]},
        (
            "listeners[0].port: read nothing; allowed: a whole number, 1 to 65535; fix: pulumi "
            "config set --path "
            "'node-nlb-sync:listeners[0].port' <port>"
        ),
    ),
    (
        {"listeners": listeners(MOST_LISTENERS + 2), "crossZone": True, "targetQuota": 50},
        "listeners: read 52 listeners; allowed: at most 50: AWS's quota of an NLB; fix: remove 2 of them",
    ),
    (
        {"ingress": {"create": False, "createNamespace": True}},
        (
            "ingress.createNamespace: read true; allowed: false beside ingress.create false: the "
            "Service exists; "
            "fix: pulumi config rm --path 'node-nlb-sync:ingress.createNamespace'"
        ),
    ),
    (
        syncer(imagePullSecrets=["a", "b", "a"]),
        (
            'syncer.imagePullSecrets[2]: read "a" a second time; allowed: each Secret once; fix: '
            "pulumi config rm "
            "--path 'node-nlb-sync:syncer.imagePullSecrets[2]'"
        ),
    ),
    (
        syncer(tolerations=[{"operator": "Exists"}, {"value": "a"}]),
        (
            "syncer.tolerations[1].key: read nothing; allowed: a taint key beside operator Equal; "
            "fix: pulumi "
            "config set --path 'node-nlb-sync:syncer.tolerations[1].key' process, or set "
            "syncer.tolerations[1].operator to Exists for all taints"
        ),
    ),
    (
        ports(80, None),
        (
            "ingress.ports[0].nodePort: read 80; allowed: a whole number, 1024 to 65535; fix: "
            "pulumi config set "
            "--path 'node-nlb-sync:ingress.ports[0].nodePort' 30080"
        ),
    ),
    (
        ports(None, 10250),
        (
            "ingress.ports[1].nodePort: read 10250, a port of the kubelet; allowed: a port that is "
            "free on every "
            "node; fix: take a port of 30000-32767, or remove ingress.ports[1].nodePort"
        ),
    ),
    (
        {**ports(8081, None), "syncer": {"image": "a", "hostNetwork": True}},
        (
            "ingress.ports[0].nodePort: read 8081, a port of the syncer with syncer.hostNetwork; "
            "allowed: a port "
            "that is free on every node; fix: take a port of 30000-32767, or remove ingress.ports[0].nodePort"
        ),
    ),
    (
        ports(30080, 30080),
        (
            "ingress.ports[1].nodePort: read 30080 a second time; allowed: a different nodePort in "
            "each row; fix: "
            "change ingress.ports[1].nodePort or remove that row"
        ),
    ),
    (
        {**ports(None, None, healthCheckNodePort=10256), "healthCheck": {"port": "local"}},
        (
            "ingress.healthCheckNodePort: read 10256, a port of kube-proxy's health check; allowed: a port "
            "that is free on every node; fix: take a port of 30000-32767, or remove "
            "ingress.healthCheckNodePort"
        ),
    ),
    (
        ports(None, None, healthCheckNodePort=32001),
        (
            "ingress.healthCheckNodePort: read 32001; allowed: none without healthCheck.port local; fix: "
            "pulumi config rm --path 'node-nlb-sync:ingress.healthCheckNodePort', or set healthCheck.port "
            "to local"
        ),
    ),
    (
        {**ports(None, None, create=False, healthCheckNodePort=32001), "healthCheck": {"port": "local"}},
        (
            "ingress.healthCheckNodePort: read 32001; allowed: none beside ingress.create false: the Service "
            "has its own; fix: pulumi config rm --path 'node-nlb-sync:ingress.healthCheckNodePort'"
        ),
    ),
    (
        {**ports(32001, None, healthCheckNodePort=32001), "healthCheck": {"port": "local"}},
        (
            "ingress.healthCheckNodePort: read 32001, as in ingress.ports[0].nodePort; allowed: a port of "
            "its own; fix: change ingress.healthCheckNodePort or remove it"
        ),
    ),
    (
        {"healthCheck": {"port": "kube-proxy", "protocol": "HTTPS"}},
        (
            "healthCheck.protocol: read HTTPS; allowed: HTTP with port kube-proxy: kube-proxy has no TLS; "
            "fix: pulumi config set --path 'node-nlb-sync:healthCheck.protocol' HTTP"
        ),
    ),
    (
        {"healthCheck": {"port": "local", "protocol": "TCP"}},
        (
            "healthCheck.protocol: read TCP; allowed: HTTP with port local: kube-proxy accepts connections "
            "on nodes without a Pod too; fix: pulumi config set --path 'node-nlb-sync:healthCheck.protocol' "
            "HTTP"
        ),
    ),
]


@pytest.mark.parametrize(("change", "line"), LINES, ids=range(len(LINES)))
def test_a_value_that_fails_later_is_one_line(change: dict[str, Any], line: str) -> None:
    assert refused({**MINIMAL, **change}) == line


MATCHERS = [
    ("399-200", "200-399"),
    ("200,200", "200"),
    ("200-299,250", "200-299"),
    ("404,300-200,299-310", "200-310,404"),
]


@pytest.mark.parametrize(("matcher", "meant"), MATCHERS)
def test_a_matcher_in_the_wrong_order_or_with_a_code_twice_is_corrected(matcher: str, meant: str) -> None:
    typed = "--type string " if "," not in meant else ""
    assert refused({**MINIMAL, "healthCheck": {"matcher": matcher}}) == (
        f'healthCheck.matcher: read "{matcher}"; allowed: ascending ranges such as 200-399, each code once; '
        f"fix: pulumi config set {typed}--path "
        f"'node-nlb-sync:healthCheck.matcher' {meant}"
    )
    read({**MINIMAL, "healthCheck": {"matcher": meant}})


@pytest.mark.parametrize("matcher", ["200-", "200-300-400", "", "1-2", "200, 300"])
def test_a_malformed_matcher_is_refused(matcher: str) -> None:
    assert refused({**MINIMAL, "healthCheck": {"matcher": matcher}}).startswith("healthCheck.matcher: read ")


KEYS = ("a", "A_b.c", "app.kubernetes.io/part-of", f"{'a' * 63}.{'b' * 63}/{'c' * 63}", "1/2")
WRONG_KEYS = (
    "a b",
    "",
    "/a",
    "a/",
    "a/b/c",
    "-a",
    "a.",
    "x" * 64,
    "a..b/c",
    "-a/b",
    "a_b/c",
    f"{'a' * 254}/b",
)


@pytest.mark.parametrize("key", WRONG_KEYS)
@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("ingress", "selector"),
        ("ingress", "annotations"),
        ("syncer", "labels"),
        ("syncer", "annotations"),
        ("syncer", "nodeSelector"),
        ("", "labels"),
        ("", "annotations"),
    ],
)
def test_a_key_that_kubernetes_refuses_is_refused_in_every_map(group: str, name: str, key: str) -> None:
    def change(config: dict[str, Any]) -> None:
        (config.setdefault(group, {}) if group else config)[name] = {key: "x"}

    line = refused(changed(change))
    assert line.startswith(f"{group}.{name}: read the key ".removeprefix("."))
    assert line.endswith("; fix: rename or remove that key")


@pytest.mark.parametrize("key", KEYS)
def test_a_key_that_kubernetes_accepts_is_accepted(key: str) -> None:
    config = syncer(labels={key: "x"}, annotations={key: "x y"}, tolerations=[{"key": key}])
    read({**config, "ingress": {"selector": {key: "x"}, "annotations": {key: "x y"}}})


def test_the_domain_of_an_annotation_alone_may_have_capitals() -> None:
    read({**MINIMAL, "ingress": {"annotations": {"Example.com/a": "b"}}})
    assert refused({**MINIMAL, "ingress": {"selector": {"Example.com/a": "b"}}}).startswith(
        "ingress.selector:"
    )


@pytest.mark.parametrize("value", ["a b", "-a", "x" * 64])
def test_a_value_that_is_no_label_is_refused(value: str) -> None:
    assert refused({**MINIMAL, "ingress": {"selector": {"a": value}}}).startswith("ingress.selector.a: read ")
    wrong = refused(syncer(tolerations=[{"key": "a", "value": value}]))
    assert wrong.startswith("syncer.tolerations[0].value: read ")


def test_a_toleration_of_all_taints_has_no_key() -> None:
    row = read(syncer(tolerations=[{"operator": "Exists", "effect": "NoSchedule"}])).syncer.tolerations[0]
    assert (row.key, row.operator, row.value, row.effect) == (None, "Exists", None, "NoSchedule")


def test_node_ports_of_an_adopted_service_are_its_own() -> None:
    read(ports(10250, None, create=False))
    read(ports(8080, None))
