"""The whole program, run as Pulumi runs it: what the engine is told, in previews and in updates."""

import base64
import json
from typing import Any

import pytest
from pulumi.output import Unknown

from tests.program.world import NODE_PORTS, VPC, Cloud, Config, Record, RunProgram, revealed

INGRESS_RULE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS_RULE = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
TARGET_GROUP = "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
NLB = "aws:lb/loadBalancer:LoadBalancer"
EIP = "aws:ec2/eip:Eip"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
OWNER = "node-nlb-sync/owner"
NODES_GROUP = "sg-74bf20f876ffc474c"


def object_names(record: Record) -> set[str]:
    """Kind/namespace/name of every Kubernetes object."""
    found = set()
    for item in record.resources:
        if item.type.startswith("kubernetes:"):
            metadata = item.inputs["metadata"]
            place = f"{metadata['namespace']}/" if "namespace" in metadata else ""
            found.add(f"{item.inputs['kind']} {place}{metadata['name']}")
    return found


def test_the_predecessors_objects_are_all_there_under_their_names(record: Record) -> None:
    assert object_names(record) >= {
        "Service ingress-traefik/traefik-ingress-service-nlb",
        "ServiceAccount ingress-traefik/nlb-sync-sa",
        "ClusterRole nlb-sync-role",
        "ClusterRoleBinding nlb-sync-role-binding",
        "Secret ingress-traefik/nlb-secret",
        "Deployment ingress-traefik/nlb-sync",
    }


def test_a_preview_registers_what_an_update_does(run_program: RunProgram) -> None:
    names = [{(item.type, item.name) for item in run_program(preview=p).resources} for p in (True, False)]
    assert names[0] == names[1]


def test_the_service_is_the_predecessors_and_is_not_waited_for(record: Record) -> None:
    service = record.one("kubernetes:core/v1:Service").inputs
    assert service["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "pulumi.com/skipAwait": "true",
        "node-nlb-sync/owner": "node-nlb-sync/dev/node-nlb",
    }
    assert service["spec"]["type"] == "NodePort"
    assert service["spec"]["selector"] == {"k8s-app": "traefik-ingress-lb"}
    assert [(port["name"], port["port"], port.get("nodePort")) for port in service["spec"]["ports"]] == [
        ("http", 80, None),
        ("https", 443, None),
    ]


def test_the_deletion_of_the_security_group_alone_is_given_up_early(record: Record) -> None:
    timeouts = {item.type: item.delete_timeout for item in record.resources if item.delete_timeout}
    assert timeouts == {"aws:ec2/securityGroup:SecurityGroup": "30s"}


def test_every_group_is_checked_on_the_http_node_port(record: Record) -> None:
    groups = record.of(TARGET_GROUP)
    assert set(groups) == {"node-nlb-80", "node-nlb-443"}
    for group in groups.values():
        check = group.inputs["healthCheck"]
        assert (check["protocol"], check["port"], check["path"]) == ("HTTP", str(NODE_PORTS["http"]), "/ping")
        assert (check["interval"], check["timeout"]) == (5, 2)


def test_in_the_preview_of_a_new_service_the_node_ports_are_unknown_and_not_absent(
    run_program: RunProgram,
) -> None:
    record = run_program(preview=True)
    assert isinstance(record.of(TARGET_GROUP)["node-nlb-443"].inputs["healthCheck"]["port"], Unknown)
    rule = record.of(INGRESS_RULE)["node-nlb-nodes-443-from-load-balancer"].inputs
    assert isinstance(rule["fromPort"], Unknown)
    assert isinstance(record.outputs["nodePorts"]["http"], Unknown)


def test_groups_have_no_name_of_their_own_and_one_constant_port(record: Record) -> None:
    for group in record.of(TARGET_GROUP).values():
        assert {"name", "namePrefix"}.isdisjoint(group.inputs)
        assert group.inputs["port"] == 80
        assert (group.inputs["targetType"], group.inputs["vpcId"]) == ("instance", VPC)
        assert len(group.name) + len("-0a1b2c3") <= 32


@pytest.mark.parametrize("ended", [True, False])
def test_whether_a_failing_target_loses_its_connections_is_said_either_way(
    run_program: RunProgram, config: Config, ended: bool
) -> None:
    config["node-nlb-sync:connections"] = {"endWhenUnhealthy": ended}
    for group in run_program().of(TARGET_GROUP).values():
        assert group.inputs["targetHealthStates"] == [{"enableUnhealthyConnectionTermination": ended}]


def test_each_listener_leads_to_its_own_group(record: Record) -> None:
    led = {
        item.inputs["port"]: item.inputs["defaultActions"][0]["targetGroupArn"].split("/")[1]
        for item in record.of(LISTENER).values()
    }
    assert led == {80: "node-nlb-80", 443: "node-nlb-443"}


def test_nobody_gets_inline_rules(record: Record) -> None:
    group = record.one("aws:ec2/securityGroup:SecurityGroup").inputs
    assert {"ingress", "egress", "name"}.isdisjoint(group)


def test_the_load_balancer_has_its_security_group_from_the_first_day(record: Record) -> None:
    assert record.one(NLB).inputs["securityGroups"] == ["sg-node-nlb"]


def rules(record: Record, type_: str, group: str) -> set[tuple[int, str]]:
    """(port, peer) of each single rule of a security group."""
    return {
        (item.inputs["fromPort"], item.inputs.get("cidrIpv4") or item.inputs["referencedSecurityGroupId"])
        for item in record.of(type_).values()
        if item.inputs["securityGroupId"] == group and item.inputs["fromPort"] == item.inputs["toPort"]
    }


def test_clients_reach_the_listeners_and_the_load_balancer_the_nodes(record: Record) -> None:
    assert rules(record, INGRESS_RULE, "sg-node-nlb") == {(80, "0.0.0.0/0"), (443, "0.0.0.0/0")}
    assert rules(record, EGRESS_RULE, "sg-node-nlb") == {(31080, NODES_GROUP), (31443, NODES_GROUP)}
    assert rules(record, INGRESS_RULE, NODES_GROUP) == {(31080, "sg-node-nlb"), (31443, "sg-node-nlb")}


def test_nodes_may_be_open_to_anybody_as_the_predecessors_were(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:firewall"] = {"source": "any"}
    assert rules(run_program(), INGRESS_RULE, NODES_GROUP) == {(31080, "0.0.0.0/0"), (31443, "0.0.0.0/0")}


def test_nodes_open_to_clients_still_let_the_health_checks_in(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:firewall"] = {"source": "clients"}
    config["node-nlb-sync:clientCidrs"] = ["198.51.100.0/24"]
    assert rules(run_program(), INGRESS_RULE, NODES_GROUP) == {
        (port, peer) for port in (31080, 31443) for peer in ("sg-node-nlb", "198.51.100.0/24")
    }


def test_a_health_check_on_a_port_without_a_listener_is_let_through(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:listeners"] = [{"name": "tls", "port": 8443, "servicePort": "https"}]
    record = run_program()
    assert {port for port, _ in rules(record, INGRESS_RULE, NODES_GROUP)} == {31080, 31443}
    assert rules(record, INGRESS_RULE, "sg-node-nlb") == {(8443, "0.0.0.0/0")}


def test_each_zone_has_its_own_address_whatever_the_order(run_program: RunProgram, config: Config) -> None:
    zones = config["node-nlb-sync:zones"]
    del zones["eu-central-1c"]
    first = run_program()
    config["node-nlb-sync:zones"] = dict(reversed(zones.items()))
    turned = run_program()
    assert set(first.of(EIP)) == {"node-nlb-eu-central-1a", "node-nlb-eu-central-1b"}
    assert first.one(NLB).inputs["subnetMappings"] == [
        {"subnetId": zones[zone]["subnetId"], "allocationId": f"eipalloc-node-nlb-{zone}"}
        for zone in ("eu-central-1a", "eu-central-1b")
    ]
    assert turned.one(NLB).inputs == first.one(NLB).inputs
    assert turned.outputs["staticIps"] == first.outputs["staticIps"]


def test_an_address_of_ones_own_is_used_and_not_created(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    own = "eipalloc-0123456789abcdef0"
    cloud.existing[own] = "203.0.113.9"
    config["node-nlb-sync:zones"]["eu-central-1b"]["allocationId"] = own
    record = run_program()
    assert "node-nlb-eu-central-1b" not in record.of(EIP)
    assert record.one(NLB).inputs["subnetMappings"][1]["allocationId"] == own
    assert record.outputs["staticIps"]["eu-central-1b"] == "203.0.113.9"


def test_throw_away_addresses_go_with_the_stack(record: Record) -> None:
    for address in record.of(EIP).values():
        assert (address.retain_on_delete, address.protect, address.import_id) == (False, False, "")


def keep(config: Config) -> None:
    config["node-nlb-sync:addresses"] = {}


def test_addresses_are_kept_by_default_under_tags_of_stack_vpc_and_zone(
    run_program: RunProgram, config: Config
) -> None:
    keep(config)
    address = run_program().of(EIP)["node-nlb-eu-central-1a"]
    assert address.retain_on_delete
    assert (
        address.inputs["tags"]
        | {
            "node-nlb-sync:stack": f"node-nlb-sync/dev/{VPC}",
            "node-nlb-sync:zone": "eu-central-1a",
        }
        == address.inputs["tags"]
    )


def test_a_kept_address_is_adopted_by_the_next_stack_and_by_each_run_after_it(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    keep(config)
    first = run_program().of(EIP)["node-nlb-eu-central-1b"]
    cloud.kept.append(("eipalloc-0000000000000000b", first.inputs["tags"]))
    cloud.kept.append(
        ("eipalloc-0000000000000000c", {**first.inputs["tags"], "node-nlb-sync:stack": "other"})
    )
    adopted = run_program().of(EIP)
    assert adopted["node-nlb-eu-central-1b"].import_id == "eipalloc-0000000000000000b"
    assert adopted["node-nlb-eu-central-1b"].inputs == first.inputs
    assert adopted["node-nlb-eu-central-1a"].import_id == ""


def test_production_stacks_may_protect_addresses_and_load_balancer(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:addresses"] = {"protect": True}
    record = run_program()
    assert all(item.protect for item in [*record.of(EIP).values(), record.one(NLB)])


def test_the_load_balancer_releases_its_addresses_before_a_replacement_that_is_allowed(
    run_program: RunProgram, config: Config
) -> None:
    assert not run_program().one(NLB).delete_before_replace
    config["node-nlb-sync:allowReplacement"] = ["loadBalancer"]
    assert run_program().one(NLB).delete_before_replace


def test_the_syncer_may_change_its_own_groups_and_read_their_health(record: Record) -> None:
    document = record.one("aws:iam/userPolicy:UserPolicy").inputs["policy"]
    assert json.loads(document) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ChangeTargets",
                "Effect": "Allow",
                "Action": [
                    "elasticloadbalancing:RegisterTargets",
                    "elasticloadbalancing:DeregisterTargets",
                ],
                "Resource": sorted(record.outputs["targetGroups"].values()),
            },
            {
                "Sid": "ReadTargets",
                "Effect": "Allow",
                "Action": ["elasticloadbalancing:DescribeTargetHealth"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}},
            },
        ],
    }


def test_the_secret_has_the_predecessors_keys_and_is_secret_as_a_whole(record: Record) -> None:
    data, secret = revealed(record.one("kubernetes:core/v1:Secret").inputs["data"])
    plain = {key: base64.b64decode(value).decode() for key, value in data.items()}
    arns = record.outputs["targetGroups"]
    service = "ingress-traefik/traefik-ingress-service-nlb"
    assert secret
    assert plain == {
        "aws_access_key": "AKIAEXAMPLE",
        "aws_secret_key": "a-very-secret-key",
        "nlb_sync_targetgroup_arns": f"{arns['http']}={service}:http,{arns['https']}={service}:https",
    }


def test_the_secret_key_is_nowhere_in_clear(record: Record) -> None:
    encoded = base64.b64encode(b"a-very-secret-key").decode()
    for item in record.resources:
        clear = {key: value for key, value in item.inputs.items() if not revealed(value)[1]}
        assert not any(word in json.dumps(clear) for word in ("a-very-secret-key", encoded))
    assert "secret" not in json.dumps(record.outputs)


def test_the_container_is_told_everything_by_its_environment(record: Record) -> None:
    (container,) = record.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]["containers"]
    by_secret = {
        entry["name"]: entry["valueFrom"]["secretKeyRef"]
        for entry in container["env"]
        if "secretKeyRef" in entry.get("valueFrom", {})
    }
    assert by_secret == {
        "AWS_ACCESS_KEY_ID": {"name": "nlb-secret", "key": "aws_access_key"},
        "AWS_SECRET_ACCESS_KEY": {"name": "nlb-secret", "key": "aws_secret_key"},
        "NLB_SYNC_TARGET_GROUPS": {"name": "nlb-secret", "key": "nlb_sync_targetgroup_arns"},
    }
    assert container["envFrom"] == [{"configMapRef": {"name": "nlb-sync"}}]
    assert record.one("kubernetes:core/v1:ConfigMap").inputs["data"] == {
        "AWS_REGION": "eu-central-1",
        "NLB_SYNC_NAME": "nlb-sync",
        "NLB_SYNC_PROBE_PORT": "8081",
        "NLB_SYNC_OWNERSHIP": "exclusive",
        "NLB_SYNC_ZONES": "eu-central-1a,eu-central-1b,eu-central-1c",
        "NLB_SYNC_CROSS_ZONE": "true",
        "NLB_SYNC_TARGET_LIMIT": "250",
        "NLB_SYNC_NODE_SELECTOR": "kops.k8s.io/instancegroup=nodes",
    }
    plain = {entry["name"]: entry["value"] for entry in container["env"] if "value" in entry}
    assert plain["NLB_SYNC_ADDRESS"] == "$(POD_IP)"
    assert container["env"][0]["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"


def test_s1_the_kubelet_probes_a_port_of_its_own(record: Record) -> None:
    (container,) = record.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": 8080, "probes": 8081}
    gets = [container[kind]["httpGet"] for kind in ("livenessProbe", "readinessProbe")]
    assert [(get["path"], get["port"]) for get in gets] == [("/healthz", "probes"), ("/readyz", "probes")]
    policy = record.one("kubernetes:networking.k8s.io/v1:NetworkPolicy").inputs["spec"]
    (rule,) = policy["ingress"]
    assert [port["port"] for port in rule["ports"]] == [8080, 8081]


def test_a_changed_filter_rolls_the_deployment(run_program: RunProgram, config: Config) -> None:
    def stamp() -> str:
        template = run_program().one(DEPLOYMENT).inputs["spec"]["template"]
        return str(template["metadata"]["annotations"]["node-nlb-sync/configuration"])

    before = stamp()
    assert stamp() == before
    config["node-nlb-sync:syncer"] |= {"labelFilter": "role=edge"}
    assert stamp() != before


def test_the_filter_is_sent_to_the_api_server_by_a_key(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:syncer"] |= {"labelFilter": "role=edge", "serverSideSelector": True}
    data = run_program().one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert data["NLB_SYNC_NODE_SELECTOR"] == "role=edge"
    assert data["NLB_SYNC_SERVER_SIDE_SELECTOR"] == "true"


def test_the_pod_runs_with_no_rights_it_does_not_need(record: Record) -> None:
    pod = record.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "runAsGroup": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_predecessors_placement_and_resources_are_in_the_deployment(record: Record) -> None:
    spec = record.one(DEPLOYMENT).inputs["spec"]
    pod = spec["template"]["spec"]
    assert spec["replicas"] == 2
    assert spec["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    }
    assert pod["serviceAccountName"] == "nlb-sync-sa"
    assert pod["nodeSelector"] == {"kops.k8s.io/instancegroup": "critical"}
    assert pod["tolerations"] == [{"key": "process", "operator": "Equal", "value": "critical"}]
    assert pod["containers"][0]["resources"] == {
        "requests": {"cpu": "250m", "memory": "200Mi"},
        "limits": {"cpu": "500m", "memory": "400Mi"},
    }


def test_the_syncer_reads_nodes_and_the_one_service(record: Record) -> None:
    assert record.one("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole").inputs["rules"] == [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]}
    ]
    assert roles(record)["ingress-traefik/nlb-sync-service"] == [
        {
            "apiGroups": [""],
            "resources": ["services"],
            "resourceNames": ["traefik-ingress-service-nlb"],
            "verbs": ["list", "watch"],
        }
    ]


def roles(record: Record) -> dict[str, Any]:
    """The rules of each Role, by namespace/name, all of them bound to the syncer's account."""
    found = {}
    bound = record.of("kubernetes:rbac.authorization.k8s.io/v1:RoleBinding")
    for name, role in record.of("kubernetes:rbac.authorization.k8s.io/v1:Role").items():
        metadata, binding = role.inputs["metadata"], bound[name].inputs
        assert binding["metadata"]["namespace"] == metadata["namespace"]
        assert binding["roleRef"]["name"] == metadata["name"]
        assert [subject["name"] for subject in binding["subjects"]] == ["nlb-sync-sa"]
        found[f"{metadata['namespace']}/{metadata['name']}"] = role.inputs["rules"]
    return found


def test_the_syncer_may_write_events_where_those_of_nodes_and_of_its_deployment_lie(record: Record) -> None:
    events = {"apiGroups": [""], "resources": ["events"], "verbs": ["create", "patch"]}
    known = roles(record)
    assert known["default/nlb-sync-node-events"] == [events]
    assert known["ingress-traefik/nlb-sync-events"] == [
        events,
        {
            "apiGroups": ["apps"],
            "resources": ["deployments"],
            "resourceNames": ["nlb-sync"],
            "verbs": ["get"],
        },
    ]


def test_the_syncer_may_write_its_own_lease_and_record_and_no_other(record: Record) -> None:
    def of(group: str, resource: str, names: list[str], *verbs: str) -> list[dict[str, Any]]:
        base = {"apiGroups": [group], "resources": [resource]}
        return [{**base, "verbs": ["create"]}, {**base, "resourceNames": names, "verbs": list(verbs)}]

    state = ["nlb-sync-state", "nlb-sync-state-1", "nlb-sync-state-2", "nlb-sync-state-3"]
    assert roles(record)["ingress-traefik/nlb-sync-state"] == [
        *of("coordination.k8s.io", "leases", ["nlb-sync"], "get", "update"),
        *of("", "configmaps", state, "get", "patch"),
    ]
    told = record.one("kubernetes:core/v1:ConfigMap").inputs["data"]
    assert told["NLB_SYNC_NAME"] == "nlb-sync"


def test_all_that_the_syncer_works_with_is_there_before_it_and_goes_after_it(record: Record) -> None:
    deployment = record.one(DEPLOYMENT)
    custom = {item.urn for item in record.resources if not item.type.startswith("node-nlb-sync:")}
    budget = record.one("kubernetes:policy/v1:PodDisruptionBudget")
    assert custom - record.before(deployment) == {deployment.urn, budget.urn}


def test_an_adopted_service_is_read_and_its_ports_are_used(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:ingress"] = {"create": False}
    record = run_program(adopted={"http": 30001, "https": 30002, "admin": 30003})
    assert "Namespace ingress-traefik" not in object_names(record)
    assert record.outputs["nodePorts"] == {"http": 30001, "https": 30002}


def test_a_kept_service_is_given_up_by_a_deletion(run_program: RunProgram, config: Config) -> None:
    service = run_program().one("kubernetes:core/v1:Service")
    assert not service.retain_on_delete
    assert service.inputs["metadata"]["annotations"][OWNER].endswith("/node-nlb")
    config["node-nlb-sync:ingress"] |= {"keep": True}
    kept = run_program().one("kubernetes:core/v1:Service")
    assert kept.retain_on_delete
    assert OWNER not in kept.inputs["metadata"]["annotations"]


def test_an_adopted_service_without_the_ports_is_refused_by_name(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:ingress"] = {"create": False}
    with pytest.raises(Exception, match=r"ingress-traefik/traefik-ingress-service-nlb .* for https; fix: "):
        run_program(adopted={"http": 30001})


def test_a_stack_exports_what_its_users_need(record: Record) -> None:
    outputs = record.outputs
    assert set(outputs) == {
        "staticIps",
        "dnsName",
        "hostedZoneId",
        "loadBalancerArn",
        "securityGroupId",
        "endpointService",
        "listeners",
        "targetGroups",
        "nodePorts",
        "policy",
        "syncerTargetGroups",
        "syncer",
    }
    assert outputs["hostedZoneId"] == "Z0EXAMPLE"
    assert json.loads(outputs["policy"])["Statement"][0]["Resource"] == sorted(
        outputs["targetGroups"].values()
    )
    assert outputs["syncerTargetGroups"].count("=ingress-traefik/traefik-ingress-service-nlb:") == 2
    assert set(outputs["staticIps"]) == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}
    assert outputs["listeners"] == {"http": 80, "https": 443}
    assert outputs["nodePorts"] == NODE_PORTS
    assert outputs["syncer"] == {"namespace": "ingress-traefik", "deployment": "nlb-sync"}


def test_tags_are_on_every_aws_resource_that_can_carry_them(record: Record) -> None:
    bare = {
        item.type
        for item in record.resources
        if item.type.startswith("aws:")
        and item.inputs.get("tags", {}).get("node-nlb-sync:environment") != "sandbox"
    }
    assert bare == {"aws:iam/userPolicy:UserPolicy", "aws:iam/accessKey:AccessKey"}


def test_a_wrong_configuration_registers_nothing(run_program: RunProgram, config: Config) -> None:
    config["node-nlb-sync:vpcId"] = "my-vpc"
    with pytest.raises(Exception, match=r'node-nlb-sync:vpcId: read "my-vpc"; allowed: .*; fix: '):
        run_program()
    assert run_program.last.resources == []


def test_a_subnet_of_another_zone_is_found_before_anything_is_made(
    run_program: RunProgram, config: Config
) -> None:
    zones = config["node-nlb-sync:zones"]
    zones["eu-central-1a"], zones["eu-central-1b"] = zones["eu-central-1b"], zones["eu-central-1a"]
    with pytest.raises(Exception, match=r"zones\.eu-central-1a\.subnetId: .* a subnet of eu-central-1b;"):
        run_program()
    assert run_program.last.resources == []


def test_an_address_that_does_not_exist_is_found_before_anything_is_made(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:zones"]["eu-central-1a"]["allocationId"] = "eipalloc-0123456789abcdef0"
    with pytest.raises(
        Exception, match="allocationId: read eipalloc-0123456789abcdef0, which does not exist"
    ):
        run_program()


def test_two_kept_addresses_of_one_zone_are_left_to_a_person(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    keep(config)
    tags = run_program().of(EIP)["node-nlb-eu-central-1a"].inputs["tags"]
    cloud.kept += [("eipalloc-1", tags), ("eipalloc-2", tags)]
    with pytest.raises(Exception, match=r"2 kept addresses \(eipalloc-1, eipalloc-2\)"):
        run_program()


def test_a_subnet_that_aws_does_not_know_is_one_line_with_its_words(
    run_program: RunProgram, config: Config, cloud: Cloud
) -> None:
    config["node-nlb-sync:zones"]["eu-central-1a"]["subnetId"] = "subnet-0123456789abcdef0"
    cloud.refusal = "operation error DescribeSubnets, api error InvalidSubnetID.NotFound: it does not exist"
    with pytest.raises(
        Exception, match=r"AWS returned: InvalidSubnetID.NotFound: it does not exist"
    ) as refused:
        run_program()
    assert "\n" not in str(refused.value)


def test_b7_the_only_port_of_an_adopted_service_needs_no_name(
    run_program: RunProgram, config: Config
) -> None:
    config["node-nlb-sync:ingress"] = {"create": False, "ports": [{"name": "http", "port": 80}]}
    config["node-nlb-sync:listeners"] = [{"name": "http", "port": 80, "servicePort": "http"}]
    record = run_program(adopted={"": 30001})
    assert record.outputs["nodePorts"] == {"http": 30001}
    data, _ = revealed(record.one("kubernetes:core/v1:Secret").inputs["data"])
    groups = base64.b64decode(data["nlb_sync_targetgroup_arns"]).decode()
    assert groups.endswith("=ingress-traefik/traefik-ingress-service-nlb")


def test_b9_the_pod_knows_its_own_name(record: Record) -> None:
    (container,) = record.one(DEPLOYMENT).inputs["spec"]["template"]["spec"]["containers"]
    (variable,) = (each for each in container["env"] if each["name"] == "POD_NAME")
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"
