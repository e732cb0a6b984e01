"""The Pulumi program: stack configuration -> arguments -> one component -> outputs."""

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env

from infra.nodenlb import PROGRAM, NodeNlb
from infra.settings import stack_args


def main() -> None:
    """Register the whole stack, or stop before the first resource with a line for each error."""
    component = NodeNlb(PROGRAM, stack_args({**get_config_env(), **CONFIG.get()}))
    for name, value in component.outputs.items():
        pulumi.export(name, value)


main()
