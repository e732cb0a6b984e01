"""Change the zones of a load balancer in place: `python -m infra.zones [--apply]` (docs/zones.md).

The AWS provider would replace the load balancer (terraform-provider-aws#41418). This command removes zones,
and zones whose subnet or address changes, by SetSubnets; `pulumi up --refresh` then adds what is new.
"""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TextIO

from .kept import STACK_TAG
from .zonesteps import Aws, Step, Wanted, ZonesError, apply, plan

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client

_PROJECT: Final = "node-nlb-sync"
_BALANCER: Final = "aws:lb/loadBalancer:LoadBalancer"
_NEXT: Final = "then run: pulumi up --refresh"


def of_stack(run: Callable[[Sequence[str]], str], stack_name: str = "", config_file: str = "") -> Wanted:
    """Return the wanted zones of a stack, by default the selected one.

    `run` returns the standard output of a Pulumi command. Raises ZonesError for a stack without a load
    balancer.
    """
    chosen = [f"--stack={stack_name}"] if stack_name else []
    config = json.loads(run(["config", "--json", *chosen, *_file(config_file)]))
    resources = json.loads(run(["stack", "export", *chosen]))["deployment"].get("resources") or ()
    balancers = [one for one in resources if one["type"] == _BALANCER and one.get("id")]
    if len(balancers) != 1:
        raise ZonesError(
            f"the stack has {len(balancers)} load balancers; select a stack with one, "
            "or give --load-balancer and --zone"
        )
    zones = _value(config, "zones", {})
    if not zones:
        raise ZonesError("the stack's configuration has no zones; run the command in the project's folder")
    stack, project = str(balancers[0]["urn"]).split("::")[:2]
    vpc_id = _value(config, "vpcId", "")
    return Wanted(
        arn=str(balancers[0]["id"]),
        zones={
            zone: (place["subnetId"], place.get("allocationId") or place.get("privateAddress"))
            for zone, place in zones.items()
        },
        release=tuple(_value(config, "addresses", {}).get("release", ())),
        mark=f"{project}/{stack.rpartition(':')[2]}/{vpc_id}",
    )


def _file(config_file: str) -> list[str]:
    return [f"--config-file={config_file}"] if config_file else []


def _value(config: Mapping[str, Any], key: str, absent: Any) -> Any:
    entry = config.get(f"{_PROJECT}:{key}", {})
    if "objectValue" in entry:
        return entry["objectValue"]
    text = entry.get("value", absent)
    return json.loads(text) if isinstance(text, str) and not isinstance(absent, str) else text


def of_arguments(given: argparse.Namespace) -> Wanted:
    """Return the wanted zones of the arguments. Raises ZonesError for a malformed zone."""
    zones: dict[str, tuple[str, str | None]] = {}
    for text in given.zone:
        zone, mark, place = text.partition("=")
        subnet_id, _, allocation_id = place.partition(",")
        if not mark or not subnet_id.startswith("subnet-"):
            raise ZonesError(f"--zone is malformed: {text}; allowed: ZONE=SUBNET or ZONE=SUBNET,ADDRESS")
        zones[zone] = (subnet_id, allocation_id or None)
    if not zones:
        raise ZonesError("--zone is missing; give each zone that the load balancer is to have")
    return Wanted(arn=given.load_balancer, zones=zones, release=tuple(given.release), mark="")


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m infra.zones", description=__doc__)
    parser.add_argument("--apply", action="store_true", help="do the steps; without it they are only shown")
    parser.add_argument("--stack", default="", help="in place of the selected stack")
    parser.add_argument("--config-file", default="", help="in place of Pulumi.<stack>.yaml")
    parser.add_argument("--load-balancer", metavar="ARN", help="in place of the selected stack's")
    parser.add_argument("--zone", action="append", default=[], metavar="ZONE=SUBNET[,ADDRESS]")
    parser.add_argument("--release", action="append", default=[], metavar="ZONE")
    return parser.parse_args(words)


def run(wanted: Wanted, aws: Aws, out: TextIO, *, apply_steps: bool) -> int:
    """Print the steps, or do them; return 0 where nothing is left to do, 1 for steps that were shown."""
    steps = plan(wanted, aws)
    if not steps:
        out.write("the load balancer has no zone to remove, and no address is to be released\n")
        return 0
    if not apply_steps:
        out.writelines(f"{number}. {step.text}\n" for number, step in enumerate(steps, 1))
        out.write(f"run it with --apply, {_NEXT}\n")
        return 1
    for step in steps:
        for line in _timed(step, wanted, aws):
            out.write(f"{line}\n")
            out.flush()
    out.write(f"done; {_NEXT}\n")
    return 0


def _timed(step: Step, wanted: Wanted, aws: Aws) -> Iterator[str]:
    began = time.monotonic()
    yield step.text
    for line in apply(step, wanted, aws):
        yield f"  {time.monotonic() - began:.0f} s: {line}"
    yield f"  {time.monotonic() - began:.0f} s: done"


def pulumi(words: Sequence[str]) -> str:
    """Run a Pulumi command on the selected stack. Raises ZonesError with the command's own message."""
    try:
        done = subprocess.run(["pulumi", *words], capture_output=True, text=True, check=False)  # noqa: S603, S607
    except OSError as error:
        raise ZonesError(f"pulumi cannot be started: {error.strerror}; add it to PATH") from None
    if done.returncode:
        cause = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ZonesError(f"pulumi {' '.join(words)} failed: {cause}")
    return done.stdout


def main(words: Sequence[str], out: TextIO) -> int:
    """Read the wanted zones and AWS, then show or do the steps; return 2 for an error, with one line."""
    import boto3  # noqa: PLC0415 - the program itself needs no boto3
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    given = arguments(words)
    try:
        wanted = (
            of_arguments(given) if given.load_balancer else of_stack(pulumi, given.stack, given.config_file)
        )
        region = wanted.region
        elb: ElasticLoadBalancingv2Client = boto3.client("elbv2", region_name=region)
        ec2: EC2Client = boto3.client("ec2", region_name=region)
        aws = Aws(elb, ec2)
        return run(wanted.marked(aws.tag(wanted.arn, STACK_TAG)), aws, out, apply_steps=given.apply)
    except ZonesError as error:
        out.write(f"{error}\n")
    except (BotoCoreError, ClientError) as error:
        out.write(f"AWS refused: {' '.join(str(error).split())}; run the command again to continue\n")
    except KeyboardInterrupt:
        out.write("interrupted; AWS completes the step that began, run the command again to continue\n")
    return 2


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:], sys.stdout))
