"""`explain` of Nodes that the syncer does not read, because the API server evaluates the label selector."""

import os
from collections.abc import Collection

from syncer.cluster.access import configuration
from syncer.cluster.api import Api
from syncer.cluster.once import find_node
from syncer.commands.look import Look
from syncer.commands.names import instance_of
from syncer.config.settings import Settings
from syncer.decide.explanation import Explanation, explain_unlisted
from syncer.errors import ClusterError


def find_unlisted(
    settings: Settings, seen: Look, names: Collection[str]
) -> tuple[list[Explanation], list[str]]:
    """Get the Nodes of these names; return the explanations of existing Nodes, and the failed reads.

    An instance id is not looked up: the API server finds a Node by its name only.
    """
    found: list[Explanation] = []
    problems: list[str] = []
    wanted = [name for name in names if not instance_of(name)]
    if not (settings.sent_selector and wanted):
        return found, problems
    api, policy = Api(configuration(os.environ)), settings.node_policy
    for name in wanted:
        try:
            node = find_node(api, name, policy)
        except ClusterError as error:
            problems.append(str(error))
        else:
            if node is not None:
                found.append(explain_unlisted(node, seen.explanations, seen.groups, policy))
    return found, problems
