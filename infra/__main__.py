"""The Pulumi program: stack configuration -> arguments -> one component -> outputs.

Pulumi passes no arguments; `python -m infra adopt` is a command of docs/adopt.md.
"""

# ruff: noqa: E402
import gc
import sys

# The process ends with the program: collections among the classes of the providers take 0.7 s of 4.
gc.disable()

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env, is_config_secret

from infra.nodenlb import PROGRAM, NodeNlb
from infra.problems import SettingsError
from infra.settings import stack_args


def main() -> None:
    """Register the whole stack, or stop before the first resource with a line per error."""
    config = {**get_config_env(), **CONFIG.get()}
    secrets = [key for key in config if is_config_secret(key)]
    try:
        component = NodeNlb(PROGRAM, stack_args(config, secrets))
    except SettingsError as wrong:  # worded for the stack's keys, not for a program's arguments
        raise SettingsError(wrong.problems) from None
    for name, value in component.outputs.items():
        pulumi.export(name, value)


if sys.argv[1:2] == ["adopt"]:
    from infra.adopt import main as adopt

    raise SystemExit(adopt(sys.argv[2:], sys.stdout, sys.stderr))
main()
