"""What is read from the source text of the SDK is what the imported SDK says."""

import importlib
import inspect
import warnings

import pytest

from sandbox.plugins.aws.schema import RESOURCES, shapes


@pytest.mark.parametrize(("token", "where"), RESOURCES.items())
def test_every_argument_of_the_sdk_class_is_an_input(token: str, where: tuple[str, str]) -> None:
    module, name = where
    package = module.partition("/")[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the SDK's own deprecated modules
        # Not the module in the package: imported first, it leaves the lazy package without its classes.
        arguments = getattr(importlib.import_module(f"pulumi_aws.{package}"), f"{name}Args")
    given = set(inspect.signature(arguments.__init__).parameters) - {"__self__"}
    assert {each.lower() for each in shapes()[token].inputs} == {each.replace("_", "") for each in given}
