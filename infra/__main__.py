"""The Pulumi program: stack configuration -> settings -> one component -> outputs."""

import pulumi
import pulumi_aws as aws
from pulumi.runtime.config import CONFIG, get_config_env

from infra.network import STACK_TAG, survey
from infra.nodenlb import NodeNlb
from infra.settings import SettingsError, load


def main() -> None:
    """Register the whole stack, or stop before the first resource with a line for each error."""
    try:
        settings = load({**get_config_env(), **CONFIG.get()}, aws.config.region)
        mark = f"{pulumi.get_project()}/{pulumi.get_stack()}/{settings.vpc_id}"
        network = survey(settings, mark)
    except SettingsError as wrong:
        raise pulumi.RunError(str(wrong)) from None
    component = NodeNlb("node-nlb", settings, network, marks={STACK_TAG: mark})
    for name, value in component.outputs.items():
        pulumi.export(name, value)


main()
