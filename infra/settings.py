"""The stack configuration, read once before any resource is registered: presets and rules across keys."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, cast

import pulumi

from .args import NodeNlbArgs
from .aroundrules import around_problems, topics_elsewhere
from .buildkeys import Build
from .clusterkeys import Syncer
from .combinations import wrong_combinations
from .givengroups import beside_given_groups, missing_network, with_given_groups, wrong_groups
from .identitychoice import identity_problems, kind_of
from .ingresspresets import with_ingress_preset
from .kept import released_zones
from .keys import ROOT, Settings
from .listenerrules import listener_problems
from .loadbalancerrules import load_balancer_problems
from .nodegrouprules import wrong_node_groups
from .objectmeta import own_keys
from .policy import region_of
from .problems import NAMESPACE, Change, Problem, Problems, SettingsError, echo
from .resourcekeys import wrong_resources
from .secretenv import concealed, unexpanded
from .shapes import Record, camel, child
from .sharing import attached_elsewhere, misplaced_keys, sharing_problems
from .syncerenv import checked, env_problems
from .tags import wrong_tags

# The Go project's Deployment: placed on the kops group `critical`, with targets filtered by the group
# `nodes`.
PREDECESSOR: Final[Mapping[str, Any]] = {
    "nodeSelector": {"kops.k8s.io/instancegroup": "critical"},
    "tolerations": [{"key": "process", "value": "critical"}],
    "labelFilter": "kops.k8s.io/instancegroup=nodes",
}


# By key, in the spelling of a stack configuration.
DEFAULTS: Final = {
    camel(name): {} if isinstance(shape, Record) else shape.default for name, shape in ROOT.fields.items()
}


def load(config: Mapping[str, str], region: str | None, secrets: Collection[str] = ()) -> Settings:
    """Read a whole stack configuration as passed by Pulumi to a program: `namespace:key` to text or JSON.

    `region` is the AWS provider's, `secrets` are the keys (`namespace:key`) with a secret value inside.
    Raises SettingsError with every problem, without the values of `secrets`.
    """
    return read(raw_args(config, secrets), region)


def read(raw: Mapping[str, Any], region: str | None, *, own_provider: bool = False) -> Settings:
    """Read keys spelled as in a stack configuration; values may be Outputs where a key allows Outputs.

    With `own_provider` the region belongs to the user's AWS provider and is not checked here. Raises
    SettingsError with every problem.
    """
    settings, problems, _ = examined(raw, region, own_provider=own_provider)
    if problems or settings is None:
        raise SettingsError(problems)
    return settings


def examined(
    raw: Mapping[str, Any], region: str | None, *, own_provider: bool
) -> tuple[Settings | None, Problems, bool]:
    """Read keys as `read` does; return the settings, all problems, and whether AWS can be read beside them.

    None for a key that is wrong by itself. Without a VPC, zones or the right region the reads would only
    repeat the problem.
    """
    problems: Problems = []
    settings = shaped(raw, problems)
    if settings is None:
        return None, problems, False
    elsewhere = [] if own_provider else list(wrong_region(settings, region))
    readable = not problems and not elsewhere
    problems.extend(contradictions(settings))
    problems.extend(identity_problems(settings.identity))
    readable = readable and not any(problem.path.startswith("identity") for problem in problems)
    problems.extend(elsewhere)
    if not problems:
        settings = replace(settings, syncer=replace(settings.syncer, env=checked(settings.syncer.env)))
    return settings, problems, readable


def shaped(raw: Mapping[str, Any], problems: Problems) -> Settings | None:
    """Read every key by itself, with the preset's values; return None for a wrong key."""
    filled = with_given_groups(with_ingress_preset(with_preset(dict(raw))))
    settings: Settings | None = ROOT.read("", filled, problems)
    problems.extend(missing_network(filled))
    problems.extend(beside_given_groups(filled, DEFAULTS))
    problems.extend(misplaced_keys(raw, DEFAULTS))
    return settings


def stack_args(config: Mapping[str, str], secrets: Collection[str]) -> NodeNlbArgs:
    """Return the component's arguments from a stack configuration, as read by `load`.

    Raises SettingsError with a line for every key that is wrong by itself.
    """
    return cast(NodeNlbArgs, raw_args(config, secrets))


def raw_args(config: Mapping[str, str], secrets: Collection[str]) -> dict[str, Any]:
    """Return the keys of the stack configuration, with the secrets of `syncer.env` as Outputs.

    Raises SettingsError with a line for every key that is wrong by itself.
    """
    raw = dict(decoded(config))
    hidden = {key.removeprefix(f"{NAMESPACE}:") for key in secrets}
    problems: Problems = []
    settings = shaped(raw, problems)
    if settings is not None and hidden:  # the component cannot distinguish secrets from other values
        problems.extend(contradictions(settings, shown="syncer" not in hidden))
    problems = [unread(problem, hidden) for problem in problems]
    if settings is not None and "syncer" in hidden:
        problems.extend(unexpanded(settings.syncer.env))
    if problems:
        raise SettingsError(problems)
    if settings is not None and "syncer" in hidden:
        raw["syncer"] = {**raw["syncer"], "env": concealed(settings.syncer.env)}
        if password := settings.syncer.build.password:
            build = {**raw["syncer"]["build"], "password": pulumi.Output.secret(password)}
            raw["syncer"] = {**raw["syncer"], "build": build}
    return raw


def unread(problem: Problem, hidden: Collection[str]) -> Problem:
    """Return `problem` without the read value, where the key holds secrets."""
    key = re.split(r"[.\[]", problem.path, maxsplit=1)[0]
    return replace(problem, read="a value of a key that holds secrets") if key in hidden else problem


def decoded(config: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """Yield the project's keys with their JSON values; the text of a string key is the value itself."""
    kinds = {camel(name): shape.kind for name, shape in ROOT.fields.items()}
    for full, text in config.items():
        namespace, _, key = full.partition(":")
        if namespace != NAMESPACE:
            continue
        if kinds.get(key, "string") == "string":
            yield key, text
            continue
        try:
            yield key, json.loads(text)
        except (RecursionError, ValueError):  # malformed JSON, too deep nesting, or a number of 4,300 digits
            yield key, text  # the shape reports the allowed values


def with_preset(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration with the preset's values for keys missing in the stack."""
    syncer = raw.get("syncer", {})
    if raw.get("preset") != "predecessor" or not isinstance(syncer, dict):
        return raw
    return {**raw, "syncer": {**PREDECESSOR, **syncer}}


def contradictions(settings: Settings, *, shown: bool = True) -> Iterator[Problem]:
    """Validate constraints that span several keys; messages repeat variables only where `shown`."""
    yield from wrong_node_groups(settings)
    yield from duplicates(settings)
    if settings.target_groups:
        yield from wrong_groups(settings.target_groups, [port.name for port in settings.ingress.ports])
    else:
        yield from listener_problems(settings)
        yield from load_balancer_problems(settings)
        yield from sharing_problems(settings)
        yield from around_problems(settings)
    yield from wrong_combinations(settings)
    yield from released_zones(settings)
    yield from wrong_build(settings.syncer)
    yield from wrong_resources(settings.syncer.resources)
    yield from wrong_tags(settings)
    yield from env_problems(settings.syncer, kind_of(settings.identity), shown=shown)
    yield from overridden(settings)
    yield from own_keys(settings)


def overridden(settings: Settings) -> Iterator[Problem]:
    """Report variables of `syncer.env` that would silently override a key."""
    keys = {
        "NLB_SYNC_NODE_SELECTOR": settings.syncer.label_filter and "syncer.labelFilter",
        "NLB_SYNC_SERVER_SIDE_SELECTOR": settings.syncer.server_side_selector and "syncer.serverSideSelector",
        "NLB_SYNC_ZONES": settings.zones and "zones",
    }
    for name, key in keys.items():
        if key and name in settings.syncer.env:
            path = child("syncer.env", name)
            yield Problem(path, "a variable", f"no value with {key}", Change(path, None))


def wrong_region(settings: Settings, region: str | None) -> Iterator[Problem]:
    """Report zones, groups or certificates outside the AWS provider's region, and a missing region."""
    key, what = ("targetGroups", "group") if settings.target_groups else ("zones", "zone")
    if settings.attached:
        key = "vpcId"
    if not region:
        fix = "pulumi config set aws:region eu-central-1"
        place = "the VPC belongs" if settings.attached else f"the {what}s belong"
        yield Problem(key, "no aws:region", f"the region that {place} to", fix)
        return
    yield from attached_elsewhere(settings, region)
    yield from topics_elsewhere(settings, region)
    # The name of a local zone has a further part: us-west-2-lax-1a.
    pattern = re.escape(region) + r"(-[a-z]+-\d+)?[a-z]"
    fixes = {
        zone: f"use zones such as {region}a, or set aws:region to the region of the zones"
        for zone in settings.zones
        if re.fullmatch(pattern, zone) is None
    }
    for name, arn in settings.target_groups.items():
        if isinstance(arn, str) and region_of(arn) != region:
            fixes[name] = f"set aws:region to {region_of(arn)}, or set target groups of {region}"
    for name, fix in fixes.items():
        allowed = f"{what}s of aws:region {region}"
        yield Problem(child(key, name), f"a {what} of another region", allowed, fix)
    for index, listener in enumerate(settings.listeners):
        for number, arn in enumerate(listener.certificate_arns):
            # A certificate in IAM has no region.
            if isinstance(arn, str) and region_of(arn) not in {region, ""}:
                path = f"listeners[{index}].certificateArns[{number}]"
                fix = f"give a certificate of {region}: a load balancer takes no other"
                yield Problem(path, f"a certificate of {region_of(arn)}", f"certificates of {region}", fix)


def repeated(path: str, field: str, values: list[Any]) -> Iterator[Problem]:
    """Yield a line for every value of an earlier row of the list."""
    for index, value in enumerate(values):
        if value is not None and value in values[:index]:
            where = f"{path}[{index}].{field}"
            fix = f"change {where} or remove that row"
            yield Problem(where, f"{echo(value)} a second time", f"a different {field} in each row", fix)


def duplicates(settings: Settings) -> Iterator[Problem]:
    """Report duplicate names, ports, subnets and addresses."""
    for index, cidr in enumerate(settings.client_cidrs):
        if cidr in settings.client_cidrs[:index]:
            where = f"clientCidrs[{index}]"
            yield Problem(where, f"{echo(cidr)} a second time", "each network once", f"remove {where}")
    yield from repeated("listeners", "name", [item.name for item in settings.listeners])
    yield from repeated("listeners", "port", [item.port for item in settings.listeners])
    yield from repeated("ingress.ports", "name", [item.name for item in settings.ingress.ports])
    yield from repeated("ingress.ports", "port", [item.port for item in settings.ingress.ports])
    yield from repeated("ingress.ports", "nodePort", [item.node_port for item in settings.ingress.ports])
    seen: dict[str, str] = {}
    for zone, place in settings.zones.items():
        for field, value in (
            ("subnetId", place.subnet_id),
            ("allocationId", place.allocation_id),
            ("privateAddress", place.private_address),
        ):
            if not isinstance(value, str):  # absent, or an Output
                continue
            first = seen.setdefault(value, zone)
            if first != zone:
                where = child(child("zones", zone), field)
                fix = Change(where, f"<the {field} of {zone}>")
                yield Problem(
                    where, f"{echo(value)}, as in zone {first}", f"another {field} for each zone", fix
                )


def wrong_build(syncer: Syncer) -> Iterator[Problem]:
    """Report a build beside an image, a login without a repository, and an incomplete login."""
    build = syncer.build
    if syncer.image is not None:
        for name, shape in Record(build=Build).fields.items():
            value = getattr(build, name)
            if isinstance(value, pulumi.Output) or (
                value != shape.default and list(value or ()) != shape.default
            ):
                path = f"syncer.build.{camel(name)}"
                yield Problem(path, "a key of a build", "no value with syncer.image", Change(path, None))
        return
    for name, other in (("username", "password"), ("password", "username")):
        if getattr(build, name) is None:
            continue
        if build.repository is None:
            path, allowed = (
                f"syncer.build.{name}",
                "no value without syncer.build.repository: the login of ECR is fetched",
            )
            yield Problem(path, "a login", allowed, Change(path, None))
        elif getattr(build, other) is None:
            path = f"syncer.build.{other}"
            allowed = f"a value with syncer.build.{name}"
            fix = Change(path, f"<{other}>", secret=other == "password")
            yield Problem(path, "nothing", allowed, fix)
