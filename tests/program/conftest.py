"""Runs the whole program under Pulumi's mocks, as the engine's language host would run it."""

import asyncio
import gc
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from unittest.mock import patch

import pulumi_aws as aws
import pytest
from pulumi.runtime import resource as runtime_resource
from pulumi.runtime import settings as runtime_settings
from pulumi.runtime.proto.source_pb2 import StackTrace

from infra import certificates
from tests.program.reads import Acm
from tests.program.world import Cloud, Config, Record, RunProgram, dev_config

# The official SDK loads a module when it is looked into, and warns of its own deprecated classes then.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    _ = aws.ec2.Eip, aws.vpc.SecurityGroupIngressRule, aws.lb.TargetGroup, aws.iam.User


@contextmanager
def engine(config: Config, cloud: Cloud) -> Iterator[RunProgram]:
    """An event loop with the threads that the mocks need, and nothing of it left afterwards."""
    loops = [asyncio.new_event_loop()]
    loop = loops[0]

    def own_loop() -> None:
        """The mocks want an event loop in each worker thread and would leave theirs open."""
        loops.append(asyncio.new_event_loop())
        asyncio.set_event_loop(loops[-1])

    os.environ["KUBECONFIG"] = os.devnull  # no test reads the cluster of the user who runs it
    asyncio.set_event_loop(loop)
    loop.set_exception_handler(lambda *_: None)  # a program that is refused leaves futures unobserved
    loop.set_default_executor(ThreadPoolExecutor(max_workers=4, initializer=own_loop))
    run = RunProgram(loop, config, cloud)
    gc.freeze()  # a collection at the end looks at what the program made, and at nothing older
    # The SDK reads the stack for each resource, a fifth of the time, for positions that no mock looks at.
    with (
        patch.object(runtime_resource, "_get_stack_trace", StackTrace),
        patch.object(certificates, "client", lambda _: Acm(cloud)),
    ):
        yield run
    loop.run_until_complete(loop.shutdown_default_executor())
    asyncio.set_event_loop(None)
    for each in loops:
        each.close()
    # What a refused program never awaited must not be found in another test, and the next freeze must not
    # keep the tasks of this run: each `asyncio.run` looks through all tasks of the process.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()
    gc.enable()
    runtime_settings.reset_options()


def cloud_of(config: Config) -> Cloud:
    """A world in which stack dev's subnets are where it says."""
    zones = config["node-nlb-sync:zones"]
    return Cloud(zones={place["subnetId"]: zone for zone, place in zones.items()})


@pytest.fixture
def config() -> Config:
    """A copy of stack dev's configuration to change at will."""
    return dev_config()


@pytest.fixture
def cloud(config: Config) -> Cloud:
    """The world that goes with it."""
    return cloud_of(config)


@pytest.fixture
def run_program(config: Config, cloud: Cloud) -> Iterator[RunProgram]:
    """Run infra/ exactly as Pulumi does (runpy, no package), under mocks, and give what it asked for."""
    with engine(config, cloud) as run:
        yield run


@pytest.fixture(scope="session")
def record() -> Record:
    """What an `up` of stack dev, as it is in the repository, asks for; nobody changes it."""
    config = dev_config()
    with engine(config, cloud_of(config)) as run:
        return run()
