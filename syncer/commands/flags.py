"""The flags of the commands that do not read files."""

import argparse
import os
import re
from collections.abc import Mapping
from functools import partial

from syncer.commands.names import is_name
from syncer.commands.ondemand import loaded
from syncer.decide.policy import Ownership
from syncer.manifests.credentials import KINDS
from syncer.manifests.references import IMAGE
from syncer.text.hosts import is_url
from syncer.text.numbers import decimal, port
from syncer.text.quote import quoted

# NLB_SYNC_ADDRESS of a listener on every address: the request goes to loopback.
_EVERYWHERE = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - read, not bound to

# A DNS subdomain, the name of most Kubernetes objects.
_OBJECT = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")

# New connections keep arriving for up to about 120 s after DeregisterTargets, even with a deregistration
# delay of 0: aws/containers-roadmap#470, kubernetes-sigs/aws-load-balancer-controller#2366.
SETTLE_S = 120.0
# The maximum of a time, about 31 years: the event loop's clock has a limit.
_LONGEST_S = 1_000_000_000


def own_url(environment: Mapping[str, str]) -> str:
    """Return the URL of this environment's syncer: in its Pod a command needs no --url.

    An invalid NLB_SYNC_PORT is left to the reader of the settings: the kubelet sets NLB_SYNC_PORT for a
    Service nlb-sync.
    """
    address = environment.get("NLB_SYNC_ADDRESS", "").strip()
    address = _EVERYWHERE.get(address, address)
    host = f"[{address}]" if ":" in address else address
    try:
        number = port(environment.get("NLB_SYNC_PORT", "").strip())
    except ValueError:
        number = 8080
    return f"http://{host}:{number}"


def add_parsers(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands; each sets `answer`, a function of the parsed arguments to an exit code."""
    _add_status(subparsers)
    _add_wait(subparsers)
    doctor = subparsers.add_parser(
        "doctor", help="check whether the syncer works here, and which rights are missing"
    )
    _asks(doctor, "syncer.commands.doctor", "doctor")
    _add_confirm(subparsers)
    _add_leave(subparsers)
    _add_compare(subparsers)
    _add_manifests(subparsers)


def _add_status(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = subparsers.add_parser("status", help="show the state of the running syncer")
    status.add_argument(
        "--url",
        default=own_url(os.environ),
        type=_url,
        help="URL of the syncer; default: %(default)s",
    )
    status.add_argument(
        "--stale-after",
        type=_seconds,
        default=180.0,
        metavar="S",
        help="the age of a group's last good pass that counts as not well; default: %(default)g",
    )
    _asks(status, "syncer.commands.status", "status")


def _add_wait(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    wait = subparsers.add_parser("wait", help="wait until a node is drained or healthy")
    wait.add_argument(
        "node", metavar="NODE", type=_node, help="name of a Node, or instance id (needs no cluster)"
    )
    goal = wait.add_mutually_exclusive_group(required=True)
    goal.add_argument(
        "--drained",
        action="store_true",
        help="wait until no group lists the node and no new connections arrive",
    )
    goal.add_argument(
        "--healthy", action="store_true", help="wait until every group has a healthy target of the node"
    )
    wait.add_argument(
        "--timeout",
        type=_seconds,
        default=600.0,
        metavar="S",
        help="timeout in seconds; default: %(default)g",
    )
    wait.add_argument(
        "--every",
        type=_pause,
        default=5.0,
        metavar="S",
        help="interval of reads in seconds; default: %(default)g",
    )
    settle = wait.add_mutually_exclusive_group()
    settle.add_argument(
        "--settle",
        type=_seconds,
        default=SETTLE_S,
        metavar="S",
        help="seconds in which an NLB may send new connections to a deregistered target; "
        "default: %(default)g",
    )
    settle.add_argument("--no-settle", dest="settle", action="store_const", const=0.0, help="--settle 0")
    _asks(wait, "syncer.commands.wait", "wait")


def _add_confirm(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    confirm = subparsers.add_parser("confirm", help="approve a removal that is held as doubtful")
    confirm.add_argument("group", metavar="GROUP", help="name or ARN of the target group")
    confirm.add_argument(
        "hold", metavar="HOLD-ID", type=_hold, help="id of the hold in `status` and `plan --json`"
    )
    confirm.add_argument(
        "--url",
        default=own_url(os.environ),
        type=_url,
        help="URL of the syncer with the hold; default: %(default)s",
    )
    _asks(confirm, "syncer.commands.confirm", "confirm")


def _add_leave(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    leave = subparsers.add_parser(
        "leave", help="deregister this cluster's targets while the other targets keep the floor"
    )
    leave.add_argument("--yes", action="store_true", help="deregister the targets; default: only show them")
    leave.add_argument(
        "--timeout",
        type=_seconds,
        default=600.0,
        metavar="S",
        help="seconds to wait until other targets serve; default: %(default)g",
    )
    leave.add_argument(
        "--every",
        type=_pause,
        default=5.0,
        metavar="S",
        help="interval of reads in seconds; default: %(default)g",
    )
    leave.add_argument(
        "--url",
        default=own_url(os.environ),
        type=_url,
        help="URL of this cluster's syncer, which must be paused or stopped; default: %(default)s",
    )
    _asks(leave, "syncer.commands.leave", "leave")


def _add_compare(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    compare = subparsers.add_parser(
        "compare", help="compare a TargetGroupBinding of the AWS Load Balancer Controller with the syncer"
    )
    compare.add_argument(
        "--binding",
        metavar="[NAMESPACE/]NAME",
        required=True,
        type=_binding,
        help="the TargetGroupBinding; default namespace: NLB_SYNC_NAMESPACE, else default",
    )
    _asks(compare, "syncer.commands.compare", "compare")


def _add_manifests(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    manifests = subparsers.add_parser(
        "manifests", help="print the Kubernetes objects of a syncer for existing target groups"
    )
    manifests.add_argument(
        "--target-group",
        action="append",
        required=True,
        metavar="ARN=NAMESPACE/SERVICE:PORT",
        help="as in NLB_SYNC_TARGET_GROUPS; once for each group",
    )
    manifests.add_argument(
        "--identity", choices=KINDS, required=True, help="source of the syncer's AWS credentials"
    )
    manifests.add_argument("--role-arn", type=_role, metavar="ARN", help="the IAM role for irsa")
    manifests.add_argument(
        "--image", type=_image, required=True, help="the syncer's image, with its digest: NAME@sha256:..."
    )
    manifests.add_argument(
        "--name", type=_object, default="nlb-sync", help="the Deployment's name; default: %(default)s"
    )
    manifests.add_argument("--namespace", type=_object, default="kube-system", help="default: %(default)s")
    manifests.add_argument(
        "--ownership",
        choices=[each.value for each in Ownership],
        default="tracked",
        help="as in NLB_SYNC_OWNERSHIP; default: %(default)s",
    )
    manifests.add_argument("--zones", metavar="ZONE,...", help="as in NLB_SYNC_ZONES")
    manifests.add_argument("--node-selector", metavar="SELECTOR", help="as in NLB_SYNC_NODE_SELECTOR")
    manifests.add_argument(
        "--env",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="another variable of the container, such as a setting of `run --help`; once for each",
    )
    _asks(manifests, "syncer.commands.manifests", "manifests", shown="YAML")


def _asks(parser: argparse.ArgumentParser, module: str, function: str, *, shown: str = "a table") -> None:
    """Set `function` of `module` as the answer."""
    parser.add_argument("--json", action="store_true", help=f"print JSON instead of {shown}")
    parser.set_defaults(answer=partial(loaded, module, function))


def _url(text: str) -> str:
    if not is_url(text):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a URL; allowed: http://HOST:PORT; default: from "
            "NLB_SYNC_ADDRESS and NLB_SYNC_PORT"
        )
    return text.rstrip("/").removesuffix("/status")


def _node(text: str) -> str:
    if not is_name(text):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is neither the name of a Node nor an instance id")
    return text


def _binding(text: str) -> str:
    parts = text.split("/")
    if len(parts) > 2 or not all(map(_OBJECT.fullmatch, parts)):  # noqa: PLR2004 - a namespace and a name
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not NAME or NAMESPACE/NAME of an object")
    return text


def _object(text: str) -> str:
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", text):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a lower-case DNS label of at most 63 characters"
        )
    return text


def _image(text: str) -> str:
    if not re.fullmatch(IMAGE, text, re.ASCII):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not an image; allowed: NAME@sha256:DIGEST or NAME:TAG"
        )
    return text


def _role(text: str) -> str:
    if not re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9_+=,.@/-]+", text):
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not the ARN of an IAM role; allowed: arn:aws:iam::ACCOUNT:role/NAME"
        )
    return text


def _seconds(text: str) -> float:
    try:
        return decimal(text, 0, _LONGEST_S)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is not a number of seconds; allowed: 0 to {_LONGEST_S}"
        ) from None


def _hold(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f]{12}", text):
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a hold id; allowed: 12 digits 0-9, a-f")
    return text


def _pause(text: str) -> float:
    if (value := _seconds(text)) < 1:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is less than 1 second; allowed: 1 to {_LONGEST_S}")
    return value
