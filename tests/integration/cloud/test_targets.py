from tests.integration.cloud.world import ZONES, Cloud, name, refusal, wait_until


def test_a_registered_target_is_registering_then_awaits_its_first_health_checks(cloud: Cloud) -> None:
    cloud.faults(registration_delay_s=0.3)
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    assert cloud.health(group) == {(node, 30080): ("initial", "Elb.RegistrationInProgress")}
    cloud.report(group, node, "healthy")
    wait_until(lambda: cloud.health(group)[node, 30080] == ("initial", "Elb.InitialHealthChecking"))


def test_a_target_takes_the_state_and_reason_that_the_health_checks_report(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    cloud.report(group, node, "unhealthy", "Target.ResponseCodeMismatch")
    assert cloud.health(group)[node, 30080] == ("unhealthy", "Target.ResponseCodeMismatch")
    cloud.report(group, node, "healthy")
    assert cloud.health(group)[node, 30080] == ("healthy", None)


def test_one_instance_on_two_ports_is_two_targets(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node, port=30080)
    cloud.register(group, node, port=30081)
    cloud.report(group, node, "healthy", port=30081)
    assert cloud.health(group) == {
        (node, 30080): ("initial", "Elb.InitialHealthChecking"),
        (node, 30081): ("healthy", None),
    }


def test_registering_a_registered_target_again_changes_nothing(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    cloud.register(group, node, node)
    assert cloud.health(group) == {(node, 30080): ("healthy", None)}


def test_a_target_without_a_port_has_the_groups_default_port(cloud: Cloud) -> None:
    group, node = cloud.served_group(Port=8080), cloud.node()
    cloud.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": node}])
    assert list(cloud.health(group)) == [(node, 8080)]
    cloud.register(group, node, port=30080)
    cloud.delay(group, 0)
    cloud.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": node}])
    assert list(cloud.health(group)) == [(node, 30080)]


def test_a_deregistered_target_drains_for_the_deregistration_delay_and_is_gone(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.delay(group, 1)
    cloud.register(group, node)
    cloud.deregister(group, node)
    assert cloud.health(group) == {(node, 30080): ("draining", "Target.DeregistrationInProgress")}
    wait_until(lambda: cloud.health(group) == {})


def test_a_draining_target_that_is_wanted_again_is_initial_again(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    cloud.deregister(group, node)
    cloud.register(group, node)
    assert cloud.health(group) == {(node, 30080): ("initial", "Elb.InitialHealthChecking")}


def test_health_check_results_do_not_touch_a_draining_target(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node)
    cloud.deregister(group, node)
    cloud.report(group, node, "healthy")
    assert cloud.health(group)[node, 30080][0] == "draining"


def test_deregistering_a_target_that_is_not_registered_succeeds(cloud: Cloud) -> None:
    group = cloud.served_group()
    cloud.deregister(group, cloud.node(), "i-0123456789abcdef0")
    assert cloud.health(group) == {}


def test_asking_for_an_unregistered_target_answers_unused_not_registered(cloud: Cloud) -> None:
    group, node, other = cloud.served_group(), cloud.node(ZONES[0]), cloud.node(ZONES[1])
    cloud.register(group, node)
    asked = [{"Id": node, "Port": 30080}, {"Id": other, "Port": 30080}]
    assert cloud.health(group, Targets=asked) == {
        (node, 30080): ("initial", "Elb.InitialHealthChecking"),
        (other, 30080): ("unused", "Target.NotRegistered"),
    }


def test_an_unknown_instance_fails_the_whole_call(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.node()
    code, message = _refused(cloud, group, node, "i-0a")
    assert (code, message) == ("InvalidTarget", "The following instances do not exist: 'i-0a'")
    assert cloud.health(group) == {}


def test_fargate_and_hybrid_ids_are_invalid_targets(cloud: Cloud) -> None:
    group = cloud.served_group()
    for one in ("fargate-ip-10-0-1-2.ec2.internal", "mi-0123456789abcdef0"):
        assert _refused(cloud, group, one)[0] == "InvalidTarget"


def test_a_stopped_instance_fails_the_whole_call(cloud: Cloud) -> None:
    group, node, stopped = cloud.served_group(), cloud.node(), cloud.fresh_node()
    cloud.ec2.stop_instances(InstanceIds=[stopped])
    assert _refused(cloud, group, node, stopped) == (
        "InvalidTarget",
        f"The following targets are not in a running state and cannot be registered: '{stopped}'",
    )
    assert cloud.health(group) == {}


def test_an_instance_of_another_vpc_is_an_invalid_target(cloud: Cloud) -> None:
    stranger = cloud.ec2.run_instances(ImageId="ami-0a1b2c3d", MinCount=1, MaxCount=1)["Instances"][0]
    group = cloud.served_group()
    code, message = _refused(cloud, group, stranger["InstanceId"])
    assert code == "InvalidTarget"
    assert stranger["InstanceId"] in message


def test_a_registered_instance_that_stops_is_unused_with_invalid_state(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.fresh_node()
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    cloud.ec2.terminate_instances(InstanceIds=[node])
    assert cloud.health(group)[node, 30080] == ("unused", "Target.InvalidState")


def test_an_instance_that_is_started_again_is_checked_anew(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.fresh_node()
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    cloud.ec2.stop_instances(InstanceIds=[node])
    cloud.ec2.start_instances(InstanceIds=[node])
    assert cloud.health(group)[node, 30080] == ("initial", "Elb.InitialHealthChecking")


def test_targets_of_a_zone_that_left_and_came_back_are_checked_anew(cloud: Cloud) -> None:
    group, balancer, node = cloud.group(), cloud.balancer(ZONES[:2]), cloud.node(ZONES[1])
    cloud.listener(balancer, group)
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    one, two = (cloud.network.subnet_ids[zone] for zone in ZONES[:2])
    cloud.elb.set_subnets(LoadBalancerArn=balancer, Subnets=[one])
    assert cloud.health(group)[node, 30080] == ("unused", "Target.NotInUse")
    cloud.elb.set_subnets(LoadBalancerArn=balancer, Subnets=[one, two])
    assert cloud.health(group)[node, 30080] == ("initial", "Elb.InitialHealthChecking")


def test_targets_of_a_group_without_listener_are_unused(cloud: Cloud) -> None:
    group, node = cloud.group(), cloud.node()
    cloud.register(group, node)
    assert cloud.health(group)[node, 30080] == ("unused", "Target.NotInUse")
    cloud.listener(cloud.balancer(), group)
    assert cloud.health(group)[node, 30080] == ("initial", "Elb.InitialHealthChecking")


def test_targets_in_a_zone_that_is_not_enabled_are_unused(cloud: Cloud) -> None:
    group, here, elsewhere = cloud.served_group(ZONES[:1]), cloud.node(ZONES[0]), cloud.node(ZONES[1])
    cloud.register(group, here, elsewhere)
    assert cloud.health(group) == {
        (here, 30080): ("initial", "Elb.InitialHealthChecking"),
        (elsewhere, 30080): ("unused", "Target.NotInUse"),
    }


def test_a_group_that_loses_its_listener_forgets_what_was_checked(cloud: Cloud) -> None:
    group, node, balancer = cloud.group(), cloud.node(), cloud.balancer()
    listener = cloud.listener(balancer, group)
    cloud.register(group, node)
    cloud.report(group, node, "healthy")
    cloud.elb.delete_listener(ListenerArn=listener)
    assert cloud.health(group)[node, 30080] == ("unused", "Target.NotInUse")
    cloud.listener(balancer, group)
    assert cloud.health(group)[node, 30080] == ("initial", "Elb.InitialHealthChecking")


def test_an_unhealthy_target_lingers_as_unhealthy_draining_without_connection_termination(
    cloud: Cloud,
) -> None:
    group, node = cloud.served_group(), cloud.node()
    cloud.attribute(group, "target_health_state.unhealthy.connection_termination.enabled", "false")
    cloud.attribute(group, "target_health_state.unhealthy.draining_interval_seconds", "1")
    cloud.register(group, node)
    cloud.report(group, node, "unhealthy", "Target.Timeout")
    assert cloud.health(group)[node, 30080] == ("unhealthy.draining", "Target.Timeout")
    wait_until(lambda: cloud.health(group)[node, 30080] == ("unhealthy", "Target.Timeout"))


def test_the_health_check_port_of_a_target_is_the_override_or_its_own(cloud: Cloud) -> None:
    own, overridden, node = cloud.group(), cloud.group(HealthCheckPort="30999"), cloud.node()
    for group in (own, overridden):
        cloud.register(group, node)
    ports = [
        cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"][0][
            "HealthCheckPort"
        ]
        for group in (own, overridden)
    ]
    assert ports == ["30080", "30999"]


def test_a_group_cannot_hold_more_targets_than_its_quota(cloud: Cloud) -> None:
    cloud.faults(quotas={"targets-per-target-group": 2})
    group, node = cloud.served_group(), cloud.node()
    cloud.register(group, node, port=1)
    cloud.register(group, node, port=2)
    assert _refused(cloud, group, node)[0] == "TooManyTargets"
    cloud.register(group, node, port=2)
    assert len(cloud.health(group)) == 2


def test_with_cross_zone_a_load_balancer_holds_its_quota_over_all_groups(cloud: Cloud) -> None:
    cloud.faults(quotas={"targets-per-network-load-balancer-cross-zone": 2})
    balancer, one, two, node = cloud.balancer(), cloud.group(), cloud.group(), cloud.node()
    cloud.listener(balancer, one, 80)
    cloud.listener(balancer, two, 443)
    cloud.elb.modify_load_balancer_attributes(
        LoadBalancerArn=balancer,
        Attributes=[{"Key": "load_balancing.cross_zone.enabled", "Value": "true"}],
    )
    cloud.register(one, node)
    cloud.register(two, node)
    code, message = _refused(cloud, two, cloud.node(ZONES[1]))
    assert code == "TooManyTargets"
    assert "2 targets per network load balancer with cross-zone load balancing enabled" in message


def test_without_cross_zone_each_zone_has_its_own_quota(cloud: Cloud) -> None:
    cloud.faults(quotas={"targets-per-availability-zone-per-network-load-balancer": 1})
    group = cloud.served_group()
    cloud.register(group, cloud.node(ZONES[0]))
    cloud.register(group, cloud.node(ZONES[1]))
    assert _refused(cloud, group, cloud.fresh_node(ZONES[1]))[0] == "TooManyTargets"


def test_a_poisoned_instance_is_refused_with_the_injected_code(cloud: Cloud) -> None:
    group, node = cloud.served_group(), cloud.fresh_node()
    cloud.faults(poison={node: "TooManyRegistrationsForTargetId"})
    assert _refused(cloud, group, node, cloud.node())[0] == "TooManyRegistrationsForTargetId"


def test_a_zonal_shift_is_an_override_of_the_targets_in_its_zone(cloud: Cloud) -> None:
    group, near, far = cloud.served_group(), cloud.node(ZONES[0]), cloud.node(ZONES[1])
    cloud.register(group, near)
    cloud.register(group, far)
    listed = cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert not any("AdministrativeOverride" in each for each in listed)
    cloud.faults(zonal_shift={ZONES[0]: "zonal_shift_active"})
    listed = cloud.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    overrides = {each["Target"]["Id"]: each["AdministrativeOverride"] for each in listed}
    assert (overrides[near]["State"], overrides[far]["State"]) == ("zonal_shift_active", "no_override")
    assert overrides[near]["Reason"] == "AdministrativeOverride.ZonalShiftActive"


def test_targets_of_an_unknown_group_are_an_error(cloud: Cloud) -> None:
    missing = cloud.group().replace("targetgroup/", f"targetgroup/{name('x')}")
    assert _refused(cloud, missing, cloud.node())[0] == "TargetGroupNotFound"


def _refused(cloud: Cloud, group: str, *ids: str) -> tuple[str, str]:
    targets = [{"Id": one, "Port": 30080} for one in ids]
    return refusal(cloud.elb.register_targets, TargetGroupArn=group, Targets=targets)
