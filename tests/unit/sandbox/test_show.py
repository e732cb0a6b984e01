import json
from dataclasses import replace
from pathlib import Path

from sandbox.plugins.choice import Plugin
from sandbox.show import details
from sandbox.status import Group, Node, Status

NODE = Node(name="a", instance_id="i-a", zone="a", ready=True, cordoned=False, taints=())
WHOLE = Status(
    static_ips={},
    listeners={},
    entries={},
    groups=(Group(name="http", arn="arn:http", targets=()),),
    nodes=(NODE,),
    syncer="",
    syncer_ready=False,
    processes=("cloud", "nlb"),
)


def test_a_sandbox_that_is_down_is_said_to_be_down_and_nothing_else() -> None:
    down = replace(WHOLE, groups=(), nodes=(), processes=(), missing=("cloud", "nlb"))
    assert details(down) == "no sandbox is running here; run `make up`"


def test_processes_that_were_killed_are_named_first() -> None:
    hurt = replace(WHOLE, processes=("nlb",), missing=("cloud",))
    assert details(hurt).splitlines()[0] == "not running: cloud; run `make up`"
    assert "not running" not in details(WHOLE)


def test_a_stack_that_was_destroyed_by_hand_is_said_to_be_missing() -> None:
    assert details(replace(WHOLE, groups=())).endswith("stack dev is not provisioned; run `make up`")


def test_c5_the_kind_of_each_plugin_and_what_was_refused_is_shown() -> None:
    aws = Plugin("aws", "offline", "7.51.1", Path("/there"), ("/bin/aws is not used: it is version 6.0.0",))
    shown = details(replace(WHOLE, plugins=(aws,))).splitlines()
    assert any(line.split() == ["Pulumi", "plugin", "aws", "7.51.1", "offline"] for line in shown)
    assert "/bin/aws is not used: it is version 6.0.0" in shown
    (found,) = replace(WHOLE, plugins=(aws,)).to_json()["plugins"]
    assert (found["name"], found["kind"], found["version"]) == ("aws", "offline", "7.51.1")
    assert json.loads(json.dumps(found)) == found | {"refused": list(aws.refused)}
