"""A world has as many groups as the row needs, each with a port of its own."""

from bench import groups


def test_the_first_two_groups_are_those_of_the_environment() -> None:
    assert groups.ports(2) == {"http": 80, "https": 443}


def test_each_further_group_has_its_own_port_and_arn() -> None:
    ports = groups.ports(50)
    assert list(ports)[:3] == ["http", "https", "port3"]
    assert len(set(ports.values())) == len(ports) == 50
    arns = groups.arns(ports)
    assert len(set(arns.values())) == 50
    assert arns["port3"].endswith(":targetgroup/port3/0000000000001f43")
