"""`python -m sandbox.dataplane --dir DIR`: follows the AWS API and carries the packets it describes."""

import argparse
import asyncio
import json
import logging
import signal
import time
import urllib.request
from pathlib import Path

import boto3
from botocore.config import Config

from sandbox.cloud.client import DATA_PLANE_KEY, SECRET_KEY
from sandbox.dataplane.datagrams import DatagramForwarder
from sandbox.dataplane.forward import Forwarder
from sandbox.dataplane.health import Checker, Result
from sandbox.dataplane.world import World, read
from sandbox.layout import REGION, Layout
from sandbox.loopback import Loopback
from sandbox.retry import Retry

log = logging.getLogger("dataplane")

_PAUSE_S = 0.1  # between reads of the API while it changes; AWS itself takes up to two minutes (source 4)
_TRUSTED_S = 10.0  # read the API after this time even if its revision is unchanged


class DataPlane:
    """Polls the API's revision and passes each new world to the forwarder and the checker."""

    def __init__(self, layout: Layout) -> None:
        self._url = layout.aws_url
        session = boto3.Session(DATA_PLANE_KEY, SECRET_KEY, region_name=REGION)
        config = Config(
            connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 1}
        )
        self._elb = session.client("elbv2", endpoint_url=self._url, config=config)
        self._ec2 = session.client("ec2", endpoint_url=self._url, config=config)
        loopback = Loopback.of(layout)
        off = layout.run / "health-checks.off"  # set by `sandbox health-checks off`, to show their effect
        self._forwarder = Forwarder(loopback)
        self._datagrams = DatagramForwarder(loopback)
        self._checker = Checker(loopback, self._report, lambda: not off.exists())
        self._seen: object = None
        self._read_at = 0.0
        self._reading = Retry("reading the AWS API", log)
        self._reporting = Retry("reporting health checks", log)

    async def run(self) -> None:
        """Follow the API until cancelled; while the API does not answer, the last world stays in force."""
        try:
            while True:  # noqa: ASYNC110  (polls: AWS sends no notification of changes)
                await asyncio.sleep(await self._step())
        finally:
            self._checker.close()
            self._forwarder.close()
            self._datagrams.close()

    async def _step(self) -> float:
        try:
            # The API answers at the next change, or after a second.
            path = f"/_sandbox/revision?after={self._seen}"
            revision = (await asyncio.to_thread(self._get, path))["revision"]
            if revision == self._seen and time.monotonic() - self._read_at < _TRUSTED_S:
                return 0.0
            world: World = await asyncio.to_thread(read, self._elb, self._ec2)
            await self._forwarder.follow(world)
            await self._datagrams.follow(world)
            self._checker.follow(world)
        except Exception as error:  # noqa: BLE001  (packets continue after any API answer)
            return self._reading.failed(error)
        self._reading.succeeded()
        self._seen, self._read_at = revision, time.monotonic()
        return _PAUSE_S

    async def _report(self, result: Result) -> None:
        body = {
            "target_group_arn": result.target_group,
            "id": result.target.id,
            "port": result.target.port,
            "state": result.state,
            "reason": result.reason or None,
        }
        log.info("%s:%d is %s %s", result.target.id, result.target.port, result.state, result.reason)
        try:
            await asyncio.to_thread(self._post, "/_sandbox/target-health", {"results": [body]})
        except Exception as error:  # noqa: BLE001
            self._reporting.failed(error)  # the next check of the target reports again
        else:
            self._reporting.succeeded()

    def _get(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(self._url + path, timeout=5) as answer:  # noqa: S310  (loopback)
            found: dict[str, object] = json.load(answer)
        return found

    def _post(self, path: str, body: object) -> None:
        request = urllib.request.Request(  # noqa: S310  (loopback)
            self._url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request, timeout=5).close()  # noqa: S310


async def _main(layout: Layout) -> None:
    task = asyncio.create_task(DataPlane(layout).run())
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await asyncio.wait([task])
    if not task.cancelled():
        task.result()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sandbox.dataplane", description=__doc__)
    parser.add_argument("--dir", type=Path, required=True, help="the sandbox's directory")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("botocore").setLevel(logging.WARNING)
    asyncio.run(_main(Layout.load(parser.parse_args().dir)))
