"""The Pulumi program: stack configuration -> settings -> one component -> outputs."""

import pulumi
import pulumi_aws as aws
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from infra.network import STACK_TAG, survey
from infra.nodenlb import NodeNlb
from infra.settings import SettingsError, load


def main() -> None:
    """Register the whole stack, or stop before the first resource with a line for each error."""
    try:
        config = {**get_config_env(), **CONFIG.get()}
        settings = load(config, aws.config.region, [key for key in config if is_config_secret(key)])
        mark = f"{pulumi.get_project()}/{pulumi.get_stack()}/{settings.vpc_id}"
        network = survey(settings, mark)
    except SettingsError as wrong:
        raise pulumi.RunError(str(wrong)) from None
    component = NodeNlb("node-nlb", settings, network, marks={STACK_TAG: mark})
    for name, value in component.outputs.items():
        pulumi.export(name, value)


main()
