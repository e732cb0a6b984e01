"""`manifests`: print the Kubernetes objects of a syncer for existing target groups."""

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from syncer.commands.printing import Exit, complain, show_json, show_text
from syncer.config.environment import SPACE
from syncer.config.parsers import GroupSettings, ServicePort, groups
from syncer.config.settings import load
from syncer.config.validation import check_probed
from syncer.config.variables import GROUPS_ALLOWED
from syncer.elb.variables import check_variables
from syncer.errors import MisconfiguredError
from syncer.manifests import Manifest
from syncer.manifests.credentials import EXTERNAL, IRSA, VARIABLES, of_kind
from syncer.manifests.documents import access, running, settings
from syncer.manifests.pod import Workload, env_entries
from syncer.manifests.workload import fingerprint
from syncer.text.quote import quoted

MANAGED_BY: Final = "nlb-sync"
# Variables of every container; a second entry of the same name would silently override the first.
_OWN: Final = frozenset({"POD_IP", "POD_NAME", "AWS_REGION", "NLB_SYNC_NAMESPACE"})
_POD: Final = {"$(POD_IP)": "10.0.0.1", "$(POD_NAME)": "nlb-sync-0"}


def manifests(args: argparse.Namespace) -> int:
    """Print the objects as YAML, or with `--json` as a List."""
    found = objects(args)
    if "@sha256:" not in args.image:
        complain(
            f"image {quoted(args.image)} has no digest, so another image may run under its name later; "
            f"print the digest with `docker buildx imagetools inspect {args.image}`"
        )
    if args.json:
        show_json({"apiVersion": "v1", "kind": "List", "items": found})
    else:
        show_text(as_yaml(found))
    return Exit.WELL


def objects(args: argparse.Namespace) -> list[Manifest]:
    """Build the objects of the parsed flags. Raises MisconfiguredError where the flags conflict."""
    if args.identity == IRSA and args.role_arn is None:
        raise MisconfiguredError("--role-arn is missing; set the IAM role for --identity irsa")
    if args.identity != IRSA and args.role_arn is not None:
        raise MisconfiguredError("--role-arn without --identity irsa; omit --role-arn")
    try:
        followed = groups(",".join(args.target_group))
    except ValueError as error:
        raise MisconfiguredError(f"--target-group is wrong ({error}); allowed: {GROUPS_ALLOWED}") from None
    if not followed:
        raise MisconfiguredError(f"--target-group is empty; allowed: {GROUPS_ALLOWED}")
    variables: dict[str, str] = settings(
        name=args.name,
        region=followed[0].group.region,
        groups=",".join(args.target_group),
        ownership=args.ownership,
        zones=args.zones,
        node_selector=args.node_selector,
    )
    env = _env(args.env, variables, external=args.identity == EXTERNAL)
    workload = Workload(
        name=args.name,
        namespace=args.namespace,
        image=args.image,
        credentials=of_kind(args.identity, args.role_arn),
        managed_by=MANAGED_BY,
        env=env_entries(env),
    )
    return [
        *access(args.name, args.namespace, services(followed)),
        *running(workload, variables, fingerprint(variables)),
    ]


def services(followed: Iterable[GroupSettings]) -> dict[str, list[str]]:
    """Return the names of the Services that the groups follow, by namespace."""
    named = {each.port.service for each in followed if isinstance(each.port, ServicePort)}
    found: dict[str, list[str]] = {}
    for namespace, _, name in (service.partition("/") for service in sorted(named)):
        found.setdefault(namespace, []).append(name)
    return found


def _env(entries: Iterable[str], variables: Mapping[str, str], *, external: bool) -> dict[str, str]:
    """Parse further variables, with the checks of the syncer's start."""
    env: dict[str, str] = {}
    for entry in entries:
        name, given, value = entry.partition("=")
        if not given or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            word = re.match(r"\w*", entry, re.ASCII)  # the rest may be a secret key
            raise MisconfiguredError(
                f"--env begins with {quoted(word[0] if word else '')}; allowed: NAME=VALUE"
            )
        if name in env or name in variables or name in _OWN:
            raise MisconfiguredError(f"--env {name} is a variable of the manifests; omit it, or use its flag")
        if not external and name in VARIABLES:
            raise MisconfiguredError(
                f"--env {name} would replace the credentials of --identity; omit it, "
                f"or use --identity {EXTERNAL}"
            )
        env[name] = value
    expanded = dict(env)
    for reference, example in _POD.items():
        expanded = {name: value.replace(reference, example) for name, value in expanded.items()}
    load({**variables, **expanded})
    for name, value in expanded.items():
        check_probed(name, value)
    check_variables({name: value.strip(SPACE) for name, value in expanded.items()})
    return env


def as_yaml(documents: Iterable[Manifest]) -> str:
    """Return the objects as a stream of YAML documents."""
    import yaml  # noqa: PLC0415 - PyYAML comes with the kubernetes client, and is used here alone

    # A copy without shared parts: YAML would write shared parts as anchors.
    plain = json.loads(json.dumps(list(documents)))
    text: str = yaml.safe_dump_all(plain, sort_keys=False, allow_unicode=True, width=1000)
    return text
