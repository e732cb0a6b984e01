"""The real syncer process beside a real API server and the AWS API over HTTP, in the words of the tests."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

import boto3

from sandbox.cloud.network import Network, run_node_instance
from sandbox.cluster import ApiError, Rest, store_context
from sandbox.layout import HOST, REGION, Layout, free_ports
from tests.control import control

if TYPE_CHECKING:
    from types_boto3_elbv2 import ElasticLoadBalancingv2Client
    from types_boto3_iam import IAMClient

NODES = "/api/v1/nodes"
SERVICES = "/api/v1/namespaces/default/services"
# Kubernetes gives out 30086 to 32767 first ("NodePort Service allocation"), so no test Service has it.
CHOSEN_PORT = 30001
_NUMBERS = count(1)


class Syncer:
    """One process `python -m syncer run`."""

    def __init__(self, environment: dict[str, str], directory: Path, *arguments: str) -> None:
        (self.port,) = free_ports(1)
        self.log = directory / f"syncer-{next(_NUMBERS)}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "syncer", "run", *arguments],
                env={"PATH": os.environ["PATH"], "NLB_SYNC_PORT": str(self.port), **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of an HTTP path; (0, "") while nobody answers."""
        try:
            with urlopen(f"http://{HOST}:{self.port}{path}", timeout=5) as reply:
                return reply.status, reply.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def status(self) -> dict[str, Any]:
        code, body = self.get("/status")
        if not code:
            raise ConnectionError("the syncer does not answer (yet)")
        answer: dict[str, Any] = json.loads(body)
        return answer

    @property
    def ready(self) -> bool:
        return self.get("/readyz")[0] == 200

    def metric(self, line: str) -> float:
        """The value of one sample, by its name and labels as printed."""
        lines = self.get("/metrics")[1].splitlines()
        return next((float(each.rpartition(" ")[2]) for each in lines if each.startswith(line + " ")), -1.0)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def stop(self, within: float = 10.0) -> int:
        """SIGTERM; the exit code."""
        self.process.terminate()
        return self.process.wait(within)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(10)


@dataclass(slots=True)
class Household:
    """API server, cloud and what a test puts into them."""

    layout: Layout
    tools: dict[str, Path]
    api: Rest
    elb: "ElasticLoadBalancingv2Client"
    network: Network
    groups: dict[str, str] = field(default_factory=dict)
    service: str = ""
    balancer: str = ""
    instances: dict[str, str] = field(default_factory=dict)
    claims: set[str] = field(default_factory=set)
    syncers: list[Syncer] = field(default_factory=list)

    def furnish(self) -> None:
        """A load balancer with its groups, and an ingress Service, in an account that has made no calls."""
        control(self.layout.aws_url, "DELETE", "faults")
        number = next(_NUMBERS)
        self.balancer, self.groups = self.new_balancer(number)
        self._expose(number)

    def share(self, owner: "Household") -> None:
        """The groups of another cluster, and an ingress Service of its own."""
        self.groups = dict(owner.groups)
        self._expose(next(_NUMBERS))

    def new_balancer(
        self, number: int | None = None, security_groups: Sequence[str] = ()
    ) -> tuple[str, dict[str, str]]:
        """One more load balancer and its groups `http` and `https`, by their ARNs."""
        number = number or next(_NUMBERS)
        groups = {}
        created: Any = self.elb.create_load_balancer
        own = {"SecurityGroups": list(security_groups)} if security_groups else {}
        made = created(
            Name=f"nlb-{number}", Type="network", Subnets=list(self.network.subnet_ids.values()), **own
        )
        balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
        for name, port in (("http", 80), ("https", 443)):
            group = self.elb.create_target_group(
                Name=f"{name}-{number}",
                Protocol="TCP",
                Port=port,
                VpcId=self.network.vpc_id,
                TargetType="instance",
            )
            groups[name] = arn = group["TargetGroups"][0]["TargetGroupArn"]
            self.elb.create_listener(
                LoadBalancerArn=balancer,
                Protocol="TCP",
                Port=port,
                DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
            )
        return balancer, groups

    def _expose(self, number: int) -> None:
        self.service = f"ingress-{number}"
        ports = [{"name": "http", "port": 80}, {"name": "https", "port": 443}]
        self.api.create(
            SERVICES, {"metadata": {"name": self.service}, "spec": {"type": "NodePort", "ports": ports}}
        )

    def clear(self) -> None:
        for syncer in self.syncers:
            syncer.end()
        self.syncers.clear()
        self.delete_all_nodes()
        for name in self.claims:  # the next test has this instance under its own name only
            self.instances.pop(name, None)
        self.claims.clear()
        self.api.delete(f"{SERVICES}/{self.service}")
        if self.balancer:
            self.remove_balancer(self.balancer, self.groups)
        self.groups.clear()

    def remove_balancer(self, balancer: str, groups: dict[str, str]) -> None:
        self.elb.delete_load_balancer(LoadBalancerArn=balancer)
        for arn in groups.values():
            self.elb.delete_target_group(TargetGroupArn=arn)

    def names(self) -> list[str]:
        """The names of both groups, as metrics have them."""
        return [arn.split("/")[1] for arn in self.groups.values()]

    @property
    def environment(self) -> dict[str, str]:
        source = f"default/{self.service}"
        pairs = ",".join(f"{arn}={source}:{name}" for name, arn in self.groups.items())
        return {
            "NLB_SYNC_TARGET_GROUPS": pairs,
            "NLB_SYNC_OWNERSHIP": "exclusive",
            "NLB_SYNC_READ_SECONDS": "5",
            "KUBECONFIG": str(self.layout.kubeconfig),
            "AWS_ACCESS_KEY_ID": "sandbox",
            "AWS_SECRET_ACCESS_KEY": "sandbox-secret-key",
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.layout.aws_url,
        }

    def syncer(self, *arguments: str, **changes: str) -> Syncer:
        started = Syncer({**self.environment, **changes}, self.layout.directory, *arguments)
        self.syncers.append(started)
        return started

    def bare_syncer(self, **environment: str) -> Syncer:
        """A process with this environment and no more."""
        started = Syncer(environment, self.layout.directory)
        self.syncers.append(started)
        return started

    def join(self, *names: str) -> None:
        """An instance starts and its Node turns Ready."""
        for name in names:
            if name not in self.instances:
                zone = "eu-central-1a"
                self.instances[name] = run_node_instance(self.layout.aws_url, name, zone).instance_id
            provider = f"aws:///eu-central-1a/{self.instances[name]}"
            self.api.create(NODES, {"metadata": {"name": name}, "spec": {"providerID": provider}})
            self.ready(name, "True")

    def ready(self, name: str, status: str) -> None:
        """What a Node's condition Ready says: "True", "False" or "Unknown"."""
        ready = {"conditions": [{"type": "Ready", "status": status}]}
        self.api.patch(f"{NODES}/{name}/status", {"status": ready})

    def key(self, user: str, **allowed: str | list[str]) -> dict[str, str]:
        """Credentials of a new IAM user; `allowed` are actions of ELBv2 and the resources of each."""
        statements = [
            {"Effect": "Allow", "Action": f"elasticloadbalancing:{action}", "Resource": resource}
            for action, resource in allowed.items()
        ]
        return self.key_with(user, json.dumps({"Version": "2012-10-17", "Statement": statements}))

    def key_with(self, user: str, policy: str) -> dict[str, str]:
        """Credentials of a new IAM user with this policy."""
        iam: IAMClient = boto3.client(
            "iam",
            endpoint_url=self.layout.aws_url,
            region_name=REGION,
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",
        )
        iam.create_user(UserName=user)
        iam.put_user_policy(UserName=user, PolicyName="syncer", PolicyDocument=policy)
        key = iam.create_access_key(UserName=user)["AccessKey"]
        return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}

    def delete(self, name: str) -> None:
        self.api.delete(f"{NODES}/{name}")

    def delete_all_nodes(self) -> None:
        self.api.delete(NODES)

    def join_as(self, name: str, instance: str) -> None:
        """A Ready Node that claims to be `instance`."""
        self.instances[name] = instance
        self.claims.add(name)
        self.join(name)

    def label(self, name: str, key: str, value: str) -> None:
        self.api.patch(f"{NODES}/{name}", {"metadata": {"labels": {key: value}}})

    def node_names(self) -> list[str]:
        return [item["metadata"]["name"] for item in self.api.get(NODES)["items"]]

    def node_port(self, name: str) -> int:
        ports = self.api.get(f"{SERVICES}/{self.service}")["spec"]["ports"]
        return next(int(port["nodePort"]) for port in ports if port["name"] == name)

    def registered(self, group: str) -> set[tuple[str, int]]:
        """Who is registered in a group: (node, port)."""
        names = {instance: name for name, instance in self.instances.items()}
        answer = self.elb.describe_target_health(TargetGroupArn=self.groups[group])
        return {
            (names.get(each["Target"]["Id"], each["Target"]["Id"]), each["Target"]["Port"])
            for each in answer["TargetHealthDescriptions"]
            if each["TargetHealth"]["State"] != "draining"
        }

    def states(self, group: str = "http") -> dict[str, str]:
        """What AWS says of each node's target: its state, with the reason where it is not healthy."""
        names = {instance: name for name, instance in self.instances.items()}
        answer = self.elb.describe_target_health(TargetGroupArn=self.groups[group])
        return {
            names.get(each["Target"]["Id"], each["Target"]["Id"]): " ".join(
                filter(None, (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason", "")))
            )
            for each in answer["TargetHealthDescriptions"]
        }

    def filled_with(self, *names: str) -> bool:
        """Whether exactly these nodes are registered in both groups, on the live NodePorts."""
        return all(
            self.registered(group) == {(name, self.node_port(group)) for name in names}
            for group in self.groups
        )

    def check_health(self) -> None:
        """What the data plane does: tell AWS that every target answers its health check."""
        results = [
            {"target_group_arn": arn, "id": each["Target"]["Id"], "port": each["Target"]["Port"]}
            for arn in self.groups.values()
            for each in self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
            if each["TargetHealth"]["State"] == "initial"
        ]
        body = {"results": [{**each, "state": "healthy", "reason": None} for each in results]}
        url = f"{self.layout.aws_url}/_sandbox/target-health"
        with urlopen(Request(url, data=json.dumps(body).encode()), timeout=10):  # noqa: S310
            pass

    def until(self, holds: Callable[[], bool], within: float, pause: float = 0.05) -> float:
        """Wait for a state of the world; how many seconds it took."""
        began = time.monotonic()
        while True:
            self.check_health()
            try:
                if holds():
                    return time.monotonic() - began
            except (OSError, ApiError):
                pass  # the API server is being restarted by the test
            assert time.monotonic() - began < within, self._situation()
            time.sleep(pause)

    def stays(self, holds: Callable[[], bool], for_s: float) -> None:
        """A state of the world that must not change for so many seconds."""
        until = time.monotonic() + for_s
        while time.monotonic() < until:
            self.check_health()
            assert holds(), self._situation()
            time.sleep(0.1)

    def compact(self) -> None:
        """Make etcd forget every version but the newest."""
        head = self._etcd("kv/range", {"key": "AA=="})["header"]["revision"]
        self._etcd("kv/compaction", {"revision": head, "physical": True})

    def _etcd(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        request = Request(f"{self.layout.etcd_url}/v3/{path}", data=json.dumps(body).encode())  # noqa: S310
        with urlopen(request, timeout=10, context=store_context(self.layout)) as reply:  # noqa: S310
            answer: dict[str, Any] = json.load(reply)
        return answer

    def _situation(self) -> str:
        logs = [syncer.log.read_text()[-3000:] for syncer in self.syncers]
        groups = {group: self.registered(group) for group in self.groups}
        return "\n".join(["not in time", str(groups), *logs])
