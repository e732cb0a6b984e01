"""The pod runner is a kubelet: real rollouts, real RBAC, exactly the declared environment, real restarts."""

import base64
import http.client
import json
import os
import signal
import socket
import textwrap
import urllib.request
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from sandbox import process, trust
from sandbox.cluster import ApiError, Rest
from sandbox.layout import Layout
from sandbox.loopback import Loopback
from sandbox.nodes import lifecycle

from .processes import eventually, start

pytestmark = pytest.mark.toolchain

NOT_FOUND = 404
IMAGE = "registry.example/team/node-nlb-sync:test"
Json = dict[str, Any]

# Says on GET / what it was given, ends with the code in GET /exit?N, ignores SIGTERM if told to.
SERVER = textwrap.dedent("""
    import http.server, json, os, signal, sys
    if os.environ.get("DEAF"):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    def say():
        root = os.environ.get("CONTAINER_SANDBOX_MOUNT_POINT", "")
        account = root + "/var/run/secrets/kubernetes.io/serviceaccount/"
        files = {name: open(account + name).read() for name in ("token", "ca.crt", "namespace")}
        return {"env": dict(os.environ), "files": files, "argv": sys.argv, "cwd": os.getcwd()}
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/exit?"):
                os._exit(int(self.path[6:]))
            body = json.dumps(say()).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)
        def log_message(self, *words):
            pass
    print("listening", flush=True)
    port = int(os.environ.get("NLB_SYNC_PORT", "8080"))
    http.server.HTTPServer((os.environ["POD_IP"], port), Handler).serve_forever()
""")


class Namespace:
    """A namespace of the test's own, and the Deployment `app` in it."""

    def __init__(self, layout: Layout, name: str) -> None:
        self.layout, self.name, self.api = layout, name, Rest(layout)
        self.path = f"/api/v1/namespaces/{name}"
        self.deployments = f"/apis/apps/v1/namespaces/{name}/deployments"

    def deploy(self, container: Json | None = None, pod: Json | None = None, **spec: Any) -> None:
        self.api.create(
            self.deployments,
            {
                "metadata": {"name": "app"},
                "spec": {
                    "selector": {"matchLabels": {"app": "app"}},
                    "template": {
                        "metadata": {"labels": {"app": "app"}},
                        "spec": {"containers": [container or server()], **(pod or {})},
                    },
                    **spec,
                },
            },
        )

    def pods(self) -> list[Json]:
        found: list[Json] = self.api.get(f"{self.path}/pods?labelSelector=app=app")["items"]
        return found

    def ready_pod(self) -> Json:
        """The one Pod, once it is Ready."""

        def look() -> Json | None:
            pods = self.pods()
            return pods[0] if len(pods) == 1 and is_ready(pods[0]) else None

        return eventually(look)

    def ask(self, pod: Json, path: str = "/") -> Json:
        connection = http.client.HTTPConnection(pod["status"]["podIP"], 8080, timeout=2)
        try:
            connection.request("GET", path)
            answer: Json = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def exit(self, pod: Json, code: int) -> None:
        with pytest.raises(OSError, match=r".*"):
            self.ask(pod, f"/exit?{code}")


def server(**more: Any) -> Json:
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return {
        "name": "main",
        "image": IMAGE,
        "command": ["python", "-c", SERVER],
        "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1},
        **more,
        "env": [address, *more.get("env", [])],
    }


def is_ready(pod: Json) -> bool:
    return any(
        c["type"] == "Ready" and c["status"] == "True" for c in pod.get("status", {}).get("conditions", [])
    )


def container_status(pod: Json) -> Json:
    (found,) = pod["status"]["containerStatuses"]
    return dict(found)


def main_process(pod: Json) -> int:
    return int(container_status(pod)["containerID"].removeprefix("process://"))


def lives(pid: int) -> bool:
    return bool(process.started_at(pid))


@pytest.fixture
def namespace(machines: Layout, request: pytest.FixtureRequest) -> Iterator[Namespace]:
    name = request.node.name.replace("_", "-").partition("[")[0].removeprefix("test-")[:40].strip("-")
    name = f"{name}-{uuid.uuid4().hex[:6]}"
    found = Namespace(machines, name)
    found.api.create("/api/v1/namespaces", {"metadata": {"name": name}})
    accounts = f"{found.path}/serviceaccounts"
    eventually(lambda: found.api.get(f"{accounts}/default"))
    yield found
    found.api.delete(f"/api/v1/namespaces/{name}")
    for pod in found.pods():
        try:
            found.api.delete(f"{found.path}/pods/{pod['metadata']['name']}", {"gracePeriodSeconds": 0})
        except ApiError as error:
            if error.status != NOT_FOUND:  # it may have ended by itself
                raise


def test_a_deployment_gets_exactly_what_it_declares(namespace: Namespace) -> None:
    api, path = namespace.api, namespace.path
    api.create(f"{path}/secrets", {"metadata": {"name": "keys"}, "stringData": {"id": "AKIA"}})
    api.create(f"{path}/configmaps", {"metadata": {"name": "told"}, "data": {"AWS_REGION": "eu-central-1"}})
    container = server(
        env=[
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "keys", "key": "id"}}},
            {"name": "URL", "value": "http://$(POD_IP)/$(KEY)"},
        ],
        envFrom=[{"configMapRef": {"name": "told"}}],
        args=["$(KEY)"],
    )

    namespace.deploy(container)

    pod = namespace.ready_pod()
    said = namespace.ask(pod)
    env = said["env"]
    home = namespace.layout.pods / f"{namespace.name}_{pod['metadata']['name']}_{pod['metadata']['uid']}"
    env.pop("LC_CTYPE", None)  # set by Python itself (PEP 538)
    assert env == {
        "PATH": env["PATH"],
        "HOSTNAME": pod["metadata"]["name"],
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
        "KUBERNETES_SERVICE_PORT": str(namespace.layout.apiserver_port),
        "KUBERNETES_SERVICE_PORT_HTTPS": str(namespace.layout.apiserver_port),
        "AWS_ENDPOINT_URL": namespace.layout.aws_url,
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://{pod['status']['hostIP']}:10169",
        "CONTAINER_SANDBOX_MOUNT_POINT": str(home / "root" / "main"),
        "POD_IP": pod["status"]["podIP"],
        "KEY": "AKIA",
        "URL": f"http://{pod['status']['podIP']}/AKIA",
        "AWS_REGION": "eu-central-1",
    }
    assert said["argv"] == ["-c", "AKIA"]
    assert said["files"]["namespace"] == namespace.name
    assert (home / "main.log").read_text() == "listening\n"
    assert container_status(pod)["state"]["running"]["startedAt"]
    assert pod["status"]["phase"] == "Running"


def test_n1_a_pod_whose_port_another_program_has_on_every_address_gets_another_one(
    namespace: Namespace,
) -> None:
    with socket.create_server(("0.0.0.0", 0)) as program:  # noqa: S104
        port = program.getsockname()[1]
        container = server(
            env=[
                {"name": "NLB_SYNC_PORT", "value": str(port)},
                {"name": "NLB_SYNC_PROBE_PORT", "value": str(port)},
            ],
            ports=[{"name": "http", "containerPort": port}],
            readinessProbe={"httpGet": {"path": "/", "port": "http"}, "periodSeconds": 1},
        )
        namespace.deploy(container)
        pod = namespace.ready_pod()
        place = Loopback.of(namespace.layout).place(pod["status"]["podIP"], port)
        with urllib.request.urlopen(f"http://{place}/", timeout=5) as answer:
            env = json.load(answer)["env"]
    assert place.port != port
    assert env["NLB_SYNC_PORT"] == env["NLB_SYNC_PROBE_PORT"] == str(place.port)
    assert env["POD_IP"] == place.ip


def test_the_mounted_token_opens_what_rbac_grants_its_service_account_and_no_more(
    namespace: Namespace,
) -> None:
    api, name = namespace.api, namespace.name
    api.create(f"{namespace.path}/serviceaccounts", {"metadata": {"name": "syncer"}})
    rules = [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}]
    rbac = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{name}"
    api.create(f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": rules})
    binding = {
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "syncer", "namespace": name}],
    }
    api.create(f"{rbac}/rolebindings", binding)
    namespace.deploy(pod={"serviceAccountName": "syncer"})
    pod = namespace.ready_pod()
    files = namespace.ask(pod)["files"]

    def status_of(resource: str) -> int:
        context = trust.context(pem=files["ca.crt"])
        port = namespace.layout.apiserver_port
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=context)
        headers = {"Authorization": f"Bearer {files['token']}"}
        connection.request("GET", f"{namespace.path}/{resource}", headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    assert (status_of("configmaps"), status_of("secrets")) == (200, 403)
    body = json.loads(base64.urlsafe_b64decode(files["token"].split(".")[1] + "=="))
    assert body["sub"] == f"system:serviceaccount:{name}:syncer"
    assert body["kubernetes.io"]["pod"]["uid"] == uid(pod)


def test_a_container_that_ends_is_started_again_and_then_kept_waiting(namespace: Namespace) -> None:
    namespace.deploy()
    first = namespace.ready_pod()

    namespace.exit(first, 3)

    again = eventually(lambda: next((p for p in namespace.pods() if restarts(p) == 1 and is_ready(p)), None))
    last = container_status(again)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (3, "Error")
    assert not lives(main_process(first))

    namespace.exit(again, 3)

    waiting = eventually(
        lambda: namespace.pods()[0] if reason_waiting(namespace) == "CrashLoopBackOff" else None
    )
    assert not is_ready(waiting)
    assert waiting["status"]["phase"] == "Running"


def restarts(pod: Json) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return int(statuses[0].get("restartCount", 0))


def reason_waiting(namespace: Namespace) -> str:
    for pod in namespace.pods():
        for status in pod.get("status", {}).get("containerStatuses", []):
            return str(status["state"].get("waiting", {}).get("reason", ""))
    return ""


def test_a_failing_liveness_probe_has_the_container_restarted(namespace: Namespace) -> None:
    alive = namespace.layout.directory / "alive"
    alive.touch()
    command = ["python", "-c", f"import os; raise SystemExit(not os.path.exists({str(alive)!r}))"]
    probe = {"exec": {"command": command}, "periodSeconds": 1, "failureThreshold": 1, "timeoutSeconds": 5}
    namespace.deploy(server(livenessProbe=probe))
    first = namespace.ready_pod()

    alive.unlink()

    restarted = eventually(lambda: next((pod for pod in namespace.pods() if restarts(pod) >= 1), None))
    assert container_status(restarted)["lastState"]["terminated"]["exitCode"] == 128 + 15
    assert not lives(main_process(first))
    events = namespace.api.get(f"{namespace.path}/events")["items"]
    assert any(e["reason"] == "Unhealthy" and "Liveness probe failed" in e["message"] for e in events)


def test_a_changed_template_rolls_the_pod_and_the_old_one_ends_first(namespace: Namespace) -> None:
    namespace.deploy(strategy={"type": "Recreate"})
    old = namespace.ready_pod()
    container = server(env=[{"name": "VERSION", "value": "2"}])

    namespace.api.patch(
        f"{namespace.deployments}/app", {"spec": {"template": {"spec": {"containers": [container]}}}}
    )

    def rolled() -> Json | None:
        pods = namespace.pods()
        return pods[0] if len(pods) == 1 and uid(pods[0]) != uid(old) and is_ready(pods[0]) else None

    new = eventually(rolled)
    assert namespace.ask(new)["env"]["VERSION"] == "2"
    assert not lives(main_process(old))


def uid(pod: Json) -> str:
    return str(pod["metadata"]["uid"])


def test_a_process_deaf_to_sigterm_is_killed_when_its_grace_is_over(namespace: Namespace) -> None:
    namespace.deploy(server(env=[{"name": "DEAF", "value": "1"}]), pod={"terminationGracePeriodSeconds": 1})
    pod = namespace.ready_pod()

    namespace.api.delete(f"{namespace.deployments}/app")

    eventually(lambda: not namespace.pods())
    assert not lives(main_process(pod))
    home = namespace.layout.pods / f"{namespace.name}_{pod['metadata']['name']}_{uid(pod)}"
    assert not (home / "volumes").exists()


def test_a_pre_stop_hook_is_done_before_the_process_ends(namespace: Namespace) -> None:
    note = namespace.layout.directory / "pre-stop-note"
    code = f"import os; open({str(note)!r}, 'w').write(os.environ['POD_IP'])"
    namespace.deploy(server(lifecycle={"preStop": {"exec": {"command": ["python", "-c", code]}}}))
    pod = namespace.ready_pod()

    namespace.api.delete(f"{namespace.deployments}/app")

    eventually(lambda: not namespace.pods())
    assert note.read_text() == pod["status"]["podIP"]


def test_a_missing_secret_keeps_the_container_waiting_until_it_is_there(namespace: Namespace) -> None:
    key = {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "late", "key": "id"}}}
    namespace.deploy(server(env=[key]))
    eventually(lambda: reason_waiting(namespace) == "CreateContainerConfigError")
    status = container_status(namespace.pods()[0])

    namespace.api.create(
        f"{namespace.path}/secrets", {"metadata": {"name": "late"}, "stringData": {"id": "here"}}
    )

    assert status["state"]["waiting"]["message"] == 'secret "late" not found'
    assert namespace.ask(namespace.ready_pod())["env"]["KEY"] == "here"


def test_a_pod_that_the_node_controller_marked_not_ready_is_ready_again(namespace: Namespace) -> None:
    namespace.deploy()
    pod = namespace.ready_pod()
    since = container_status(pod)["state"]["running"]["startedAt"]
    marked = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    namespace.api.patch(f"{namespace.path}/pods/{pod['metadata']['name']}/status", marked)
    assert container_status(namespace.ready_pod())["state"]["running"]["startedAt"] == since


def test_a_program_that_is_not_there_is_reported(namespace: Namespace) -> None:
    namespace.deploy({"name": "main", "image": IMAGE, "command": ["no-such-program"]})

    eventually(lambda: reason_waiting(namespace) == "CrashLoopBackOff")
    last = container_status(namespace.pods()[0])["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (128, "StartError")
    assert "no-such-program" in last["message"]


def test_a_pod_that_no_node_fits_stays_pending_with_the_scheduler_s_event(namespace: Namespace) -> None:
    namespace.deploy(pod={"nodeSelector": {"moon": "yes"}})

    def events() -> list[Json]:
        found = namespace.api.get(f"{namespace.path}/events")["items"]
        return [event for event in found if event["reason"] == "FailedScheduling"]

    assert "didn't match Pod's node affinity/selector" in eventually(events)[0]["message"]
    assert namespace.pods()[0]["status"]["phase"] == "Pending"


def test_pods_of_other_images_are_left_alone(namespace: Namespace) -> None:
    namespace.deploy({"name": "main", "image": "registry.example/nginx"})
    ours = Namespace(namespace.layout, namespace.name)
    other = eventually(lambda: next((p for p in ours.pods() if p["spec"].get("nodeName")), None))

    namespace.api.create(
        f"{namespace.path}/pods",
        {"metadata": {"name": "one", "labels": {"app": "one"}}, "spec": {"containers": [server()]}},
    )

    eventually(lambda: is_ready(namespace.api.get(f"{namespace.path}/pods/one")))
    assert "containerStatuses" not in namespace.pods()[0]["status"]
    assert uid(namespace.pods()[0]) == uid(other)


def test_the_predecessor_s_pod_goes_to_the_critical_group_and_dies_with_its_machine(
    namespace: Namespace,
) -> None:
    namespace.deploy(
        pod={
            "nodeSelector": {"kops.k8s.io/instancegroup": "critical"},
            "tolerations": [{"key": "process", "value": "critical"}],
        }
    )
    pod = namespace.ready_pod()
    name = pod["spec"]["nodeName"]
    pid = main_process(pod)

    lifecycle.kill(namespace.layout, name)
    eventually(lambda: not lives(pid))
    lifecycle.revive(namespace.layout, name)

    again = eventually(lambda: next((p for p in namespace.pods() if restarts(p) == 1 and is_ready(p)), None))
    assert name in {"node-1", "node-2"}
    assert container_status(again)["lastState"]["terminated"]["reason"] == "Unknown"


def test_a_drain_evicts_pods_only_as_their_budget_allows(namespace: Namespace) -> None:
    layout, budgets = namespace.layout, f"/apis/policy/v1/namespaces/{namespace.name}/poddisruptionbudgets"
    (name,) = lifecycle.add(layout, names=["budgeted"])
    budget = {"minAvailable": 1, "selector": {"matchLabels": {"app": "app"}}}
    namespace.api.create(budgets, {"metadata": {"name": "keep"}, "spec": budget})
    namespace.deploy(pod={"nodeSelector": {"kubernetes.io/hostname": name}})
    pod = namespace.ready_pod()
    eventually(lambda: namespace.api.get(f"{budgets}/keep")["status"].get("currentHealthy") == 1)

    with ThreadPoolExecutor() as background:
        draining = background.submit(lifecycle.drain, layout, name, pause_s=0)
        eventually(lambda: namespace.api.get(f"/api/v1/nodes/{name}")["spec"].get("unschedulable"))
        with pytest.raises(TimeoutError):
            draining.result(timeout=1)
        kept = namespace.ask(pod)["env"]["HOSTNAME"]
        namespace.api.delete(f"{budgets}/keep")
        draining.result(timeout=30)

    assert kept == pod["metadata"]["name"]
    assert not lives(main_process(pod))
    assert namespace.pods()[0]["status"]["phase"] == "Pending"


@pytest.mark.parametrize("stop_runner", ["politely", "with SIGKILL"])
def test_a_restarted_runner_takes_its_pods_up_and_leaves_no_orphan(
    namespace: Namespace, stop_runner: str
) -> None:
    layout = namespace.layout
    namespace.deploy()
    pid = main_process(namespace.ready_pod())

    stop(layout, polite=stop_runner == "politely")
    left_behind = lives(pid)
    start(layout, "nodes")

    eventually(lambda: not lives(pid))
    again = eventually(lambda: next((p for p in namespace.pods() if restarts(p) == 1 and is_ready(p)), None))
    assert left_behind == (stop_runner != "politely")
    assert main_process(again) != pid


def stop(layout: Layout, *, polite: bool) -> None:
    found = process.find(layout, "nodes")
    if found and not polite:
        os.kill(found.pid, signal.SIGKILL)
    process.stop(layout, "nodes")
