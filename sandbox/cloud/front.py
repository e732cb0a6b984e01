"""The one WSGI application: /_sandbox for the sandbox's own parts, ELBv2 ours, every other service moto's.

Requests are answered one at a time under a lock, because moto is not thread-safe and a call must be atomic.
"""

import json
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import parse_qsl, urlencode

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.cloud import control, query, resources
from sandbox.cloud.client import DATA_PLANE_KEY
from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.elbv2.actions import ACTIONS
from sandbox.cloud.elbv2.health import ENDING_CHECKS, forget_unchecked
from sandbox.cloud.elbv2.lag import shown
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.errors import AwsError
from sandbox.cloud.iam import Iam
from sandbox.cloud.policy import Call
from sandbox.cloud.revision import Revision
from sandbox.cloud.throttle import Throttle
from sandbox.layout import ACCOUNT, REGION

_log = logging.getLogger("sandbox.cloud")

Environ = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
_SCOPE_PARTS = 5  # key/date/region/service/aws4_request
_READS = ("Describe", "Get", "List")
_ABOUT_RULES = frozenset(
    {"ModifySecurityGroupRules"}
    | {
        f"{verb}{direction}"
        for verb in ("AuthorizeSecurityGroup", "RevokeSecurityGroup", "UpdateSecurityGroupRuleDescriptions")
        for direction in ("Ingress", "Egress")
    }
)


@dataclass(frozen=True, slots=True)
class Request:
    """A signed call: who, which service, which action, with its form fields."""

    access_key: str
    region: str
    service: str
    action: str
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    content_type: str
    body: bytes


class Front:
    """The AWS API of the sandbox as a WSGI application; Elastic IPs are addresses of network `elastic`."""

    def __init__(self, elastic: IPv4Network, clock: Callable[[], float] = time.monotonic) -> None:
        self.ec2 = Ec2(ACCOUNT, REGION, elastic)
        self.elbv2 = Elbv2(self.ec2, clock)
        self.iam = Iam()
        self.throttle = Throttle()
        self.revision = Revision(self.elbv2)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._chance = random.Random(0)  # noqa: S311 (which call a fault hits)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; WSGI."""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/_sandbox/"):
            body = _body(environ)
            with self._lock:
                status, reply = control.answer(self, environ["REQUEST_METHOD"], path, body)
            return _send(start_response, Answer(status, "application/json", json.dumps(reply).encode()))
        if path.startswith("/moto-api"):
            with self._lock:
                return list(self._moto(environ, start_response))
        return self._aws(environ, start_response)

    def _aws(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        service = _service(environ)
        try:
            return self._answered(environ, start_response, service)
        except AwsError as error:
            _log.info("%s refused: %s", service, error)
            failure = error
        except Exception:  # noqa: BLE001 (whatever moto stumbles over, the client gets an answer it can read)
            _log.exception("%s failed", service)
            failure = AwsError("InternalFailure", "The sandbox failed; its log says where.", 500)
        body = query.render_error(service, failure, secrets.token_hex(16))
        return _send(start_response, Answer(failure.status, "text/xml", body))

    def _answered(self, environ: Environ, start_response: StartResponse, service: str) -> Iterable[bytes]:
        request = _parse(environ, service)
        if request.access_key != DATA_PLANE_KEY:
            time.sleep(self.elbv2.faults.latency_of(request.action))
        with self._lock:
            self.elbv2.remove_lingering()
            self._admit(request)
            if service == "elasticloadbalancing":
                return _send(start_response, self._elbv2(request))
            return self._forward(request, environ, start_response)

    def _admit(self, request: Request) -> None:
        """Raise the AwsError of a call that is throttled, not signed by a live key, or not allowed."""
        if request.access_key == DATA_PLANE_KEY:
            return
        self.elbv2.faults.refuse(request.service, request.action, self._chance)
        user = self.iam.caller(request.access_key)
        if request.service == "elasticloadbalancing":
            self.throttle.spend(request.action, self.elbv2.faults.rates, self.elbv2.clock())
        # GetCallerIdentity needs no permission (its page in the STS reference).
        if user is not None and request.action != "GetCallerIdentity":
            action = f"{request.service}:{request.action}"
            self.iam.authorise(user, Call(action, _resources(request), request.region))

    def _elbv2(self, request: Request) -> Answer:
        model = query.operation("elbv2", request.action)
        if request.region != REGION:
            raise AwsError(
                "UnsupportedOperation",
                f"The sandbox's load balancers are in {REGION}, not in {request.region}",
            )
        if request.action not in ACTIONS:
            raise AwsError("InvalidAction", f"The sandbox does not simulate {request.action}")
        params = query.parse(model, request.fields)
        result = ACTIONS[request.action](self.elbv2, params)
        if request.action == "DescribeTargetHealth" and request.access_key != DATA_PLANE_KEY:
            result = shown(self.elbv2, params["TargetGroupArn"], result)
        self._written(request)
        return Answer(200, "text/xml", query.render(model, result, secrets.token_hex(16)))

    def _forward(self, request: Request, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Give the call to moto, after the rules that moto does not have."""
        if request.service == "ec2":
            self._mend(request, environ)
        statuses: list[str] = []

        def start(status: str, headers: list[tuple[str, str]]) -> Any:
            statuses.append(status)
            return start_response(status, headers)

        try:
            answer = list(self._moto(environ, start))
        except NotImplementedError:
            message = f"The action {request.action} is not valid for this web service."
            raise AwsError("InvalidAction", message) from None
        if statuses[0].startswith("2"):
            self._written(request)
        else:
            _log.info("%s refused: %s %s", request.service, request.action, statuses[0])
        return answer

    def _written(self, request: Request) -> None:
        """Take note of a call that succeeded, unless it only read."""
        if request.service == "iam":
            self.iam.notice_keys()
        if "SecurityGroup" in request.action:
            self.ec2.rules.complete(request.action, request.fields)
        if request.action in ENDING_CHECKS:
            forget_unchecked(self.elbv2)
        if not request.action.startswith(_READS):
            self.revision.bump()
            _log.info("%s:%s", request.service, request.action)

    def _mend(self, request: Request, environ: Environ) -> None:
        fields = request.fields
        if request.action == "DeleteSecurityGroup" and "GroupId" in fields:
            self.ec2.require_unused_group(fields["GroupId"])
        elif request.action in {"ReleaseAddress", "DisassociateAddress"}:
            self.ec2.require_own(fields.get("AllocationId") or fields.get("AssociationId", ""))
        elif request.action in _ABOUT_RULES:
            _set_body(environ, urlencode(self.ec2.rules.prepare(request.action, fields)).encode())
        elif request.action == "AllocateAddress" and "Address" not in fields:
            # moto's own choice may be 127.0.0.1 or another sandbox's address; the API lets a caller choose.
            _set_body(environ, urlencode({**fields, "Address": self.ec2.unused_public_ip()}).encode())
        elif request.action == "RunInstances" and fields.get("MaxCount") == "1":
            address = self.ec2.unused_private_ip(fields.get("SubnetId", ""))
            if address and "PrivateIpAddress" not in fields:
                _set_body(environ, urlencode({**fields, "PrivateIpAddress": address}).encode())


def _resources(request: Request) -> tuple[str, ...]:
    if request.service == "elasticloadbalancing":
        params = query.parse(query.operation("elbv2", request.action), request.fields)
        return resources.of_load_balancing(request.action, params)
    return resources.of_identity(request.fields.get("UserName")) if request.service == "iam" else ("*",)


def _service(environ: Environ) -> str:
    scope = _credential(environ)
    return scope[3] if len(scope) == _SCOPE_PARTS else "unknown"


def _credential(environ: Environ) -> list[str]:
    """The credential scope of a Signature Version 4 header, split; empty when the request is not signed."""
    _, found, rest = str(environ.get("HTTP_AUTHORIZATION", "")).partition("Credential=")
    return rest.split(",")[0].strip().split("/") if found else []


def _parse(environ: Environ, service: str) -> Request:
    scope = _credential(environ)
    if len(scope) != _SCOPE_PARTS:
        raise AwsError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    body = _body(environ)
    _set_body(environ, body)
    fields = dict(parse_qsl(body.decode(errors="replace"), keep_blank_values=True))
    fields.update(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    return Request(scope[0], scope[2], service, fields.get("Action") or target.rpartition(".")[2], fields)


def _body(environ: Environ) -> bytes:
    length = int(environ.get("CONTENT_LENGTH") or 0)
    read: bytes = environ["wsgi.input"].read(length) if length else b""
    return read


def _set_body(environ: Environ, body: bytes) -> None:
    environ["wsgi.input"] = BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))


def _send(start_response: StartResponse, answer: Answer) -> Iterable[bytes]:
    headers = [("Content-Type", answer.content_type), ("Content-Length", str(len(answer.body)))]
    start_response(f"{answer.status} {'OK' if answer.status < 400 else 'Refused'}", headers)  # noqa: PLR2004
    return [answer.body]
