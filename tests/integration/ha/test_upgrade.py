"""A rollout from each release: its replica, played from the Lease and registry that it wrote, and a new one.

A new release adds what it writes to recorded/: `spec` of its Lease and `data` of its ConfigMap. `next` has
what this version writes, where that differs from the last release.
"""

import datetime as dt
import json
import re
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from sandbox.cluster import ApiError
from syncer.version import VERSION
from tests.integration.ha.test_processes import LEASES, holder, leads
from tests.integration.syncer.household import Household

pytestmark = pytest.mark.toolchain

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
RECORDED = {file.stem: json.loads(file.read_text()) for file in Path(__file__).parent.glob("recorded/*.json")}
# A key of a group, NAME.ID.
_GROUP = re.compile(r"[^.]+\.[0-9a-f]{16}")
RENEW_S = 2.0
# The duration of the Lease, and a standby's interval.
EXPIRED_S = 12.0

NODES = ("a", "b", "c", "d")


class Released:
    """The leader of a released version: it holds its Lease, and its registry has the targets."""

    def __init__(self, home: Household, recorded: dict[str, Any]) -> None:
        self._home = home
        self._lease = f"{LEASES}/{home.service}"
        self._spec = recorded["lease"]
        self._stopped = threading.Event()
        self._renewing = threading.Thread(target=self._renew)
        home.api.create(LEASES, {"metadata": {"name": home.service}, "spec": self._renewed()})
        self._write_registry(recorded["record"])

    def _write_registry(self, recorded: dict[str, str]) -> None:
        """Register every node's target, and record it as the release does, with today's ids and ports."""
        instances = sorted(self._home.instances[name] for name in NODES)
        text = json.dumps(recorded)
        live: dict[str, str] = {}
        for (name, arn), key in zip(self._home.groups.items(), filter(_GROUP.match, recorded), strict=True):
            port = self._home.node_port(name)
            self._home.elb.register_targets(
                TargetGroupArn=arn, Targets=[{"Id": each, "Port": port} for each in instances]
            )
            (former,) = set(re.findall(rf"{key}(?:\": \"|:)([0-9]+)", text))
            live |= {key: ".".join(arn.split("/")[1:]), former: str(port)}
        ids = sorted(set(re.findall(r"\b[0-9a-f]{17}\b", text)))
        live |= dict(zip(ids, (each.removeprefix("i-") for each in instances), strict=True))
        data = json.loads(re.sub("|".join(live), lambda found: live[found[0]], text))
        self._home.api.create(
            CONFIG_MAPS, {"metadata": {"name": f"{self._home.service}-state"}, "data": data}
        )

    def __enter__(self) -> Self:
        self._renewing.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Release the Lease, as at SIGTERM."""
        if self._renewing.is_alive():
            self._stopped.set()
            self._renewing.join()
            self._home.api.patch(self._lease, {"spec": {"holderIdentity": ""}})

    def _renew(self) -> None:
        while not self._stopped.wait(RENEW_S):
            self._home.api.patch(self._lease, {"spec": self._renewed()})

    def _renewed(self) -> dict[str, Any]:
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return {**self._spec, "renewTime": now}


def form(value: Any) -> Any:
    """What two releases must agree in: keys, types, and how ids, times and numbers are written."""
    if isinstance(value, dict):
        return {form(key): form(each) for key, each in value.items()}
    if isinstance(value, str):
        return re.sub(r"\d+", "0", re.sub(r"\b[0-9a-f]{17}\b|\b[0-9a-f]{16}\b", "ID", value))
    return type(value)


@pytest.mark.parametrize("release", RECORDED)
def test_a_rollout_has_one_leader_and_deregisters_what_it_owns_alone(home: Household, release: str) -> None:
    home.join(*NODES)
    named = {
        "NLB_SYNC_NAMESPACE": "default",
        "NLB_SYNC_NAME": home.service,
        "NLB_SYNC_OWNERSHIP": "tracked",
    }
    with Released(home, RECORDED[release]) as old:
        former = holder(home)
        home.delete("a")  # the new replica never sees this Node: only the registry has the target for its own
        new = home.syncer(**named)
        home.until(lambda: new.ready, within=20)
        home.stays(lambda: not leads(new) and holder(home) == former, for_s=EXPIRED_S)
        assert home.filled_with("a", "b", "c", "d")
        old.stop()
    home.until(lambda: leads(new), within=5)
    home.until(lambda: home.filled_with("b", "c", "d"), within=10)
    home.stays(lambda: home.filled_with("b", "c", "d"), for_s=7)  # more than a read for drift


def test_what_is_written_has_the_recorded_form(home: Household) -> None:
    """A changed form needs a test that the release before reads it: test_registry_rollout.py."""
    home.join("a", "b", "c", "d")
    home.syncer(NLB_SYNC_NAMESPACE="default", NLB_SYNC_NAME=home.service, NLB_SYNC_OWNERSHIP="tracked")

    def written() -> Any:
        try:
            lease = home.api.get(f"{LEASES}/{home.service}")["spec"]
            registry = home.api.get(f"{CONFIG_MAPS}/{home.service}-state")["data"]
        except ApiError:
            return None
        return form({"lease": {**lease, "holderIdentity": "nlb-sync_b1ac609c"}, "record": registry})

    expected = form(RECORDED.get("next") or RECORDED[VERSION])
    home.until(lambda: bool(written() == expected), within=20)
