"""The running sandbox of the change table: one stack, its configuration, and ids that rows need."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml

from sandbox.cloud.network import VPC_ID
from sandbox.cluster import Rest
from sandbox.loopback import Address
from sandbox.stack import STACK, Stack
from sandbox.status import Group, Status, observe
from sandbox.toolchain import ensure
from tests.changes.certificates import certificate
from tests.changes.edits import Keys
from tests.e2e.driver import ROOT, Sandbox, stack_dev

PROJECT: Final = "node-nlb-sync"
_RUN_S: Final = 300
_LINKED: Final = ("infra", "syncer", ".venv", "uv.lock", "pyproject.toml")
_LISTENERS: Final = [
    {"name": "http", "port": 80, "servicePort": "http"},
    {"name": "https", "port": 443, "servicePort": "https"},
]
_PORTS: Final = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]


@dataclass(frozen=True, slots=True)
class Said:
    """Exit code and output of a command, and the engine's events."""

    code: int
    text: str
    events: Sequence[Mapping[str, Any]] = ()


@dataclass
class Stand:
    """The sandbox, and a copy of the project's folder with a configuration of its own.

    `applied` is the configuration of the last `up` without an error; `made` are ids by purpose; `first` is
    what AWS has before the first row.
    """

    sandbox: Sandbox
    root: Path
    stack: str = STACK
    project: str = PROJECT
    applied: Keys = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    program: str = ""
    first: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare the folder; the stack is as `make up` made it."""
        self.root.mkdir()
        for name in _LINKED:
            (self.root / name).symlink_to(ROOT / name)
        self._name_project()
        pulumi = ensure(("pulumi",), lambda _: None)["pulumi"]
        self.program = str(pulumi)
        self.environment = Stack(root=ROOT, layout=self.sandbox.layout, pulumi=pulumi).environment()
        self.environment.pop("PULUMI_STACK")
        self.environment["PULUMI_DEBUG_COMMANDS"] = "true"  # for --event-log
        self.applied = self.base()
        self.configure(self.applied)

    def base(self) -> Keys:
        """Return the keys of stack dev, with the defaults of listeners and Service ports."""
        keys = copy.deepcopy(stack_dev())
        keys["listeners"] = copy.deepcopy(_LISTENERS)
        keys["ingress"]["ports"] = copy.deepcopy(_PORTS)
        return keys

    @property
    def _file(self) -> Path:
        return self.root / f"Pulumi.{self.stack}.yaml"

    def configure(self, keys: Keys) -> None:
        """Write the stack's configuration."""
        stack = yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())
        own = {f"{PROJECT}:{key}": value for key, value in keys.items() if ":" not in key}
        other = {key: value for key, value in stack["config"].items() if key.partition(":")[0] != PROJECT}
        stack["config"] = {**other, **own}
        self._file.write_text(yaml.safe_dump(stack))

    def up(self, *flags: str) -> Said:
        """Run `pulumi up`; the events have the steps."""
        log = self.root / "events.json"
        log.unlink(missing_ok=True)
        done = self.pulumi("up", "--yes", f"--stack={self.stack}", f"--event-log={log}", *flags)
        events = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
        return Said(done.code, done.text, events)

    def pulumi(self, *words: str) -> Said:
        """Run the CLI as in `sandbox shell`, in this stand's folder."""
        return self._run(self.program, *words, "--non-interactive", "--color=never")

    def change_zones(self) -> Said:
        """Run `python -m infra.zones --apply`."""
        return self._run(sys.executable, "-m", "infra.zones", "--apply", "--stack", self.stack)

    def _run(self, *command: str) -> Said:
        done = subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return Said(done.returncode, done.stdout)

    def rename(self, stack: str, project: str = PROJECT) -> None:
        """Rename the stack, and its file of configuration with it, or the project, whose keys stay."""
        full = f"organization/{project}/{stack}"
        done = self.pulumi("stack", "rename", full, f"--stack={self.stack}")
        assert done.code == 0, done.text
        self.stack, self.project = stack, project
        self._name_project()

    def _name_project(self) -> None:
        text = (ROOT / "Pulumi.yaml").read_text()
        (self.root / "Pulumi.yaml").write_text(text.replace(f"name: {PROJECT}\n", f"name: {self.project}\n"))

    @property
    def api(self) -> Rest:
        """The API server."""
        return Rest(self.sandbox.layout)

    def aws(self, service: str) -> Any:
        """Return a client of the sandbox's AWS."""
        return self.sandbox.aws(service)

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources in the stack's state, from its file, which is quicker than the CLI."""
        stacks = self.sandbox.layout.pulumi_backend / ".pulumi" / "stacks"
        (path,) = stacks.glob(f"*/{self.stack}.json")
        found: list[dict[str, Any]] = json.loads(path.read_text())["checkpoint"]["latest"]["resources"]
        return found

    def outputs(self) -> dict[str, Any]:
        """Return the stack's outputs."""
        (root,) = [each for each in self.resources() if each["type"] == "pulumi:pulumi:Stack"]
        found: dict[str, Any] = root.get("outputs", {})
        return found

    def status(self) -> Status:
        """Return what `sandbox status` shows."""
        return observe(self.sandbox.layout, self.outputs())

    def groups(self) -> tuple[Group, ...]:
        """Return the target groups in AWS."""
        return self.status().groups

    def http_entries(self) -> dict[str, Address]:
        """Return where port 80 of each zone listens."""
        status = self.status()
        (listener,) = [name for name, port in status.listeners.items() if port == 80]
        return {
            name.partition("/")[0]: place
            for name, place in status.entries.items()
            if name.partition("/")[2] == listener
        }

    def identity(self) -> dict[str, str]:
        """Return ARN, DNS name, and the static IP of each zone, as AWS has them."""
        balancers = self.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        found = {"arn": ",".join(each["LoadBalancerArn"] for each in balancers)}
        for each in balancers:
            found["dns"] = each["DNSName"]
            for zone in each["AvailabilityZones"]:
                found[zone["ZoneName"]] = zone["LoadBalancerAddresses"][0].get("IpAddress", "")
        return found

    def once(self, purpose: str, make: Callable[[], str]) -> str:
        """Return the id of an object that rows share, made at the first use."""
        if purpose not in self.made:
            self.made[purpose] = make()
        return self.made[purpose]

    def second_subnet(self, zone: str) -> str:
        """Return another public subnet of a zone."""
        block = str(self.sandbox.layout.vpc_network.network_address).split(".")[1]
        ec2, cidr = self.aws("ec2"), f"127.{block}.192.0/20"

        def make() -> str:
            found = ec2.describe_subnets(Filters=[{"Name": "cidr-block", "Values": [cidr]}])["Subnets"]
            place = {"VpcId": VPC_ID, "CidrBlock": cidr, "AvailabilityZone": zone}
            subnet = found[0] if found else ec2.create_subnet(**place)["Subnet"]
            return str(subnet["SubnetId"])

        return self.once("subnet", make)

    def own_address(self) -> str:
        """Return an Elastic IP that the stack did not create."""
        ec2 = self.aws("ec2")
        return self.once("address", lambda: ec2.allocate_address(Domain="vpc")["AllocationId"])

    def created_address(self, zone: str) -> str:
        """Return the Elastic IP that the stack created for a zone."""
        ip = self.outputs()["staticIps"][zone]
        (found,) = self.aws("ec2").describe_addresses(PublicIps=[ip])["Addresses"]
        return str(found["AllocationId"])

    def security_group(self) -> str:
        """Return another security group."""
        ec2, words = self.aws("ec2"), {"GroupName": "pool", "Description": "pool", "VpcId": VPC_ID}

        def make() -> str:
            named = [{"Name": "group-name", "Values": ["pool"]}]
            found = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
            return str(found[0]["GroupId"] if found else ec2.create_security_group(**words)["GroupId"])

        return self.once("group", make)

    def tag(self, groups: Sequence[str]) -> dict[str, str]:
        """Tag security groups; return the tag."""
        tag = {"pool": "edge"}
        tags = [{"Key": key, "Value": value} for key, value in tag.items()]
        self.aws("ec2").create_tags(Resources=list(groups), Tags=tags)
        return tag

    def oidc_provider(self) -> str:
        """Return the ARN of the IAM OIDC provider of the cluster's issuer."""
        (found,) = self.aws("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]
        return str(found["Arn"])

    def prefix_list(self) -> str:
        """Return a prefix list with one network."""
        words = {"PrefixListName": "office", "MaxEntries": 2, "AddressFamily": "IPv4"}
        entries, ec2 = [{"Cidr": "192.0.2.0/24"}], self.aws("ec2")
        return self.once(
            "prefixes",
            lambda: ec2.create_managed_prefix_list(**words, Entries=entries)["PrefixList"]["PrefixListId"],
        )

    def hosted_zone(self) -> str:
        """Return the id of a public hosted zone of example.com."""

        dns = self.aws("route53")

        def make() -> str:
            every = dns.list_hosted_zones()["HostedZones"]
            found = [zone for zone in every if zone["Name"] == "example.com."]
            words = {"Name": "example.com", "CallerReference": "changes"}
            zone = found[0] if found else dns.create_hosted_zone(**words)["HostedZone"]
            return str(zone["Id"]).rpartition("/")[2]

        return self.once("zone", make)

    def certificate(self, name: str) -> str:
        """Return the ARN of a certificate in ACM."""
        return self.once(name, lambda: certificate(self.aws("acm"), name))
