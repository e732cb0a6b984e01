"""A syncer beside an API server without nodes, and a stand-in for everything of AWS."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.credentials.stand_in import StandIn
from tests.integration.syncer.faulty import FaultyServer
from tests.integration.syncer.household import Syncer

GROUP = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/http/73e2d6bc24d8a067"
ROLE = "arn:aws:iam::123456789012:role/syncer"


@dataclass(slots=True)
class Place:
    """Where a test runs commands: `aws` answers for all of AWS, `api` for the cluster."""

    aws: StandIn
    api: FaultyServer
    directory: Path
    syncers: list[Syncer] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """No credentials yet."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "KUBECONFIG": str(self.directory / "kubeconfig"),
            "NLB_SYNC_TARGET_GROUPS": f"{GROUP}=:30080",
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.aws.url,
            "AWS_ENDPOINT_URL_STS": self.aws.url,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.aws.url,
        }

    @property
    def irsa(self) -> dict[str, str]:
        """The variables of a Pod whose ServiceAccount is annotated with a role."""
        token = self.directory / "token"
        token.write_text("a-web-identity-token")
        return {"AWS_ROLE_ARN": ROLE, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}

    @property
    def pod_identity(self) -> dict[str, str]:
        """The variables of a Pod with a Pod Identity association."""
        token = self.directory / "agent-token"
        token.write_text("an-agent-token")
        return {
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{self.aws.url}/v1/credentials",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token),
        }

    def ask(self, *words: str, **changes: str) -> tuple[int, str]:
        """A command as a process: its exit code, and all that it wrote."""
        done = subprocess.run(
            [sys.executable, "-m", "syncer", *words],
            env={**self.environment, **changes},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def doctor(self, **changes: str) -> tuple[dict[str, Any], str]:
        """The row about credentials, and all that was written."""
        code, said = self.ask("doctor", "--json", **changes)
        checks = json.loads(said[said.index("{") : said.rindex("}") + 1])["checks"]
        row = next(each for each in checks if each["check"] == "credentials")
        assert code == 1
        return row, said

    def run(self, **changes: str) -> Syncer:
        """The syncer at work."""
        started = Syncer({**self.environment, **changes}, self.directory)
        self.syncers.append(started)
        return started


def until(holds: Callable[[], Any], within: float) -> Any:
    """Wait for a state of the world; what it is then."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            if found := holds():
                return found
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("not in time")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with StandIn() as aws, FaultyServer() as api:
        (tmp_path / "kubeconfig").write_text(
            json.dumps(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
                    "clusters": [{"name": "x", "cluster": {"server": api.url}}],
                    "users": [{"name": "x", "user": {}}],
                }
            )
        )
        made = Place(aws, api, tmp_path)
        yield made
        for syncer in made.syncers:
            syncer.end()
