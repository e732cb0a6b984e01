from sandbox.dataplane.firewall import Peer, Rule, allowed


def rule(
    peer: str, ports: tuple[int, int] = (80, 80), protocol: str = "tcp", *, egress: bool = False
) -> Rule:
    return Rule(
        group="sg-1", egress=egress, protocol=protocol, from_port=ports[0], to_port=ports[1], peer=peer
    )


def lets(one: Rule, *, port: int = 80, egress: bool = False, groups: frozenset[str] = frozenset()) -> bool:
    peer = Peer(address="10.1.2.3", groups=groups)
    return allowed([one], frozenset({"sg-1"}), egress=egress, port=port, peer=peer)


def test_nothing_is_allowed_without_a_rule() -> None:
    assert not allowed([], frozenset({"sg-1"}), egress=False, port=80, peer=Peer(address="10.1.2.3"))


def test_a_cidr_block_lets_in_the_addresses_inside_it_only() -> None:
    assert lets(rule("10.1.0.0/16"))
    assert not lets(rule("10.2.0.0/16"))
    assert not lets(rule("::/0"))


def test_a_rule_holds_for_its_ports_only() -> None:
    assert lets(rule("0.0.0.0/0", (30000, 32767)), port=31234)
    assert not lets(rule("0.0.0.0/0", (30000, 32767)), port=80)


def test_a_referenced_group_lets_in_its_members_wherever_they_are() -> None:
    assert lets(rule("sg-lb"), groups=frozenset({"sg-lb"}))
    assert not lets(rule("sg-lb"), groups=frozenset({"sg-other"}))


def test_a_rule_of_one_direction_says_nothing_about_the_other() -> None:
    assert not lets(rule("0.0.0.0/0", egress=True))
    assert lets(rule("0.0.0.0/0", egress=True), egress=True)


def test_all_protocols_means_every_port_and_udp_means_none() -> None:
    assert lets(rule("0.0.0.0/0", (-1, -1), "-1"), port=443)
    assert not lets(rule("0.0.0.0/0", protocol="udp"))


def test_a_rule_of_another_group_does_not_count() -> None:
    peer = Peer(address="10.1.2.3")
    assert not allowed([rule("0.0.0.0/0")], frozenset({"sg-2"}), egress=False, port=80, peer=peer)


def test_udp_has_rules_of_its_own() -> None:
    peer = Peer(address="10.1.2.3")

    def lets_udp(protocol: str) -> bool:
        return allowed(
            [rule("0.0.0.0/0", protocol=protocol)],
            frozenset({"sg-1"}),
            egress=False,
            port=80,
            peer=peer,
            transport="udp",
        )

    assert [lets_udp(protocol) for protocol in ("udp", "17", "-1", "tcp")] == [True, True, True, False]
