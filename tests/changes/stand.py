"""The running sandbox of the change table, with the ids that its rows need."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from sandbox.cloud.network import VPC_ID
from sandbox.cluster import Rest
from sandbox.stack import outputs
from tests.e2e.driver import ROOT, Sandbox, stack_dev, write_config

_RUN_S = 300


@dataclass(frozen=True, slots=True)
class Said:
    """Exit code and output of a command."""

    code: int
    text: str
    errors: str = ""


@dataclass
class Stand:
    """One sandbox and one file of configuration for all rows."""

    sandbox: Sandbox
    file: Path
    made: dict[str, str] = field(default_factory=dict)

    @property
    def zones(self) -> Mapping[str, Any]:
        """The zones of stack dev."""
        zones: dict[str, Any] = stack_dev()["zones"]
        return zones

    @cached_property
    def api(self) -> Rest:
        """The API server."""
        return Rest(self.sandbox.layout)

    def configure(self, keys: Mapping[str, Any]) -> None:
        """Write the configuration of stack dev with these keys; None takes a key away."""
        write_config(self.file, **keys)

    def pulumi(self, *words: str) -> Said:
        """Run the CLI as in `sandbox shell`, with this stand's configuration."""
        return self._run(
            "pulumi", *words, "--config-file", str(self.file), "--non-interactive", "--color=never"
        )

    def change_zones(self) -> Said:
        """Run `python -m infra.zones --apply`."""
        return self._run(
            sys.executable, "-m", "infra.zones", "--apply", "--stack", "dev", "--config-file", str(self.file)
        )

    def _run(self, *command: str) -> Said:
        done = subprocess.run(
            [str(ROOT / ".venv/bin/sandbox"), "shell", "--", *command],
            cwd=ROOT,
            env=self.sandbox.environment,
            capture_output=True,
            text=True,
            timeout=_RUN_S,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def planned(self, *flags: str) -> tuple[Said, list[dict[str, Any]]]:
        """Run `preview`; return the steps of resources in AWS and in the cluster."""
        said = self.pulumi("preview", "--json", *flags)
        if said.code:
            return said, []
        steps = json.loads(said.text[said.text.index("{") :])["steps"]
        return said, [
            step
            for step in steps
            if step["op"] not in {"same", "refresh"}
            and step["urn"].split("::")[2].rpartition("$")[2].count(":") > 1
            and not step["urn"].split("::")[2].rpartition("$")[2].startswith(("pulumi:", "node-nlb-sync:"))
        ]

    def identity(self) -> dict[str, str]:
        """ARN, DNS name, and the static IP of each zone, as AWS has them."""
        balancers = self.sandbox.aws("elbv2").describe_load_balancers()["LoadBalancers"]
        found = {"arn": ",".join(each["LoadBalancerArn"] for each in balancers)}
        for each in balancers:
            found["dns"] = each["DNSName"]
            for zone in each["AvailabilityZones"]:
                found[zone["ZoneName"]] = zone["LoadBalancerAddresses"][0].get("IpAddress", "")
        return found

    def static_ips(self) -> dict[str, str]:
        """The stack's output."""
        ips: dict[str, str] = outputs(self.sandbox.layout)["staticIps"]
        return ips

    def second_subnet(self, zone: str) -> str:
        """Another public subnet of a zone."""
        if "subnet" not in self.made:
            block = str(self.sandbox.layout.vpc_network.network_address).split(".")[1]
            made = self.sandbox.aws("ec2").create_subnet(
                VpcId=VPC_ID, CidrBlock=f"127.{block}.192.0/20", AvailabilityZone=zone
            )
            self.made["subnet"] = made["Subnet"]["SubnetId"]
        return self.made["subnet"]

    def own_address(self) -> str:
        """An Elastic IP that the stack did not create."""
        if "address" not in self.made:
            made = self.sandbox.aws("ec2").allocate_address(Domain="vpc")
            self.made["address"] = made["AllocationId"]
        return self.made["address"]

    def second_group(self) -> str:
        """Another security group of nodes."""
        if "group" not in self.made:
            made = self.sandbox.aws("ec2").create_security_group(
                GroupName="pool", Description="pool", VpcId=VPC_ID
            )
            self.made["group"] = made["GroupId"]
        return self.made["group"]
