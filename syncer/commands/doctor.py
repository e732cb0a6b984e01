"""`doctor`: check whether the syncer will work here, and with which losses. Changes no state.

Exit codes: 0 the syncer works (notes name the losses), 1 a check fails, 2 a flag or variable is wrong.
"""

import argparse
import asyncio
import os
from collections.abc import Iterable, Sequence

from syncer.cluster.access import configuration
from syncer.cluster.api import Api
from syncer.cluster.events import own_workload
from syncer.cluster.ownname import OwnName
from syncer.cluster.place import Place, own_place
from syncer.commands.aws_checks import AwsChecks
from syncer.commands.cluster_checks import (
    ClusterSeen,
    answers,
    check_cluster,
    check_identity,
    check_place,
    check_rights,
    needed_rights,
)
from syncer.commands.finding import Finding, Grade, fails
from syncer.commands.printing import Exit, show_json, show_table
from syncer.commands.settings_checks import check_settings
from syncer.config.settings import Settings, load
from syncer.elb.adapter import RETRY_THROTTLED_S
from syncer.elb.survey import Survey
from syncer.errors import ClusterError, MisconfiguredError


def doctor(args: argparse.Namespace) -> int:
    """Run all checks and print a line for each check."""
    settings = load(os.environ)
    api = Api(configuration(os.environ))
    seen = ClusterSeen()
    place, findings = _place(settings, api)
    findings += [
        *check_settings(os.environ),
        *check_place(api, place),
        *check_identity(api, place),
        *check_rights(api, needed_rights(settings, own_workload(os.environ), place)),
        *check_cluster(api, settings, seen),
        *asyncio.run(_aws(settings, api, seen)),
    ]
    _show(findings, as_json=args.json)
    return Exit.NOT_WELL if any(each.grade is Grade.FAILS for each in findings) else Exit.WELL


def _place(settings: Settings, api: Api) -> tuple[Place | None, list[Finding]]:
    """Return the namespace and name of Lease and registry; a failed check and None if a Node has the name."""
    try:
        place = own_place(os.environ, settings.namespace, settings.name)
        if place is not None:
            OwnName(api, place).check()
    except MisconfiguredError as error:
        return None, [fails("settings", str(error))]
    except ClusterError:
        return place, []  # reported with the nodes
    return place, []


async def _aws(settings: Settings, api: Api, seen: ClusterSeen) -> Sequence[Finding]:
    survey = Survey(
        [each.group.arn for each in settings.groups],
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        retry_throttled_s=RETRY_THROTTLED_S,
    )
    checks = AwsChecks(
        survey=survey,
        settings=settings,
        nodes=seen.nodes,
        ports=seen.ports,
        knock=lambda protocol, port, path: answers(api, seen.nodes or (), protocol, port, path),
    )
    try:
        return [finding async for finding in checks.run()]
    finally:
        survey.close()


def _show(findings: Iterable[Finding], *, as_json: bool) -> None:
    listed = list(findings)
    if as_json:
        show_json(
            {
                "well": all(each.grade is not Grade.FAILS for each in listed),
                "checks": [
                    {"check": each.check, "result": each.grade.value, "says": each.detail} for each in listed
                ],
            }
        )
    else:
        show_table(
            ("CHECK", "RESULT", "DETAIL"), ((each.check, each.grade.value, each.detail) for each in listed)
        )
