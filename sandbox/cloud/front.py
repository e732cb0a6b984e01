"""The WSGI application: /_sandbox for the sandbox's own parts, its own services, and moto for the others.

Requests are answered sequentially under a lock, because moto is not thread-safe and a call must be atomic.
"""

import json
import logging
import random
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from sandbox.cloud import cloudwatch, control, query, quotas, resources, rest, route53
from sandbox.cloud.client import DATA_PLANE_KEY
from sandbox.cloud.ec2 import Ec2
from sandbox.cloud.elbv2.actions import ACTIONS
from sandbox.cloud.elbv2.health import ENDING_CHECKS, forget_unchecked
from sandbox.cloud.elbv2.store import Elbv2
from sandbox.cloud.elbv2.targets import describe_health
from sandbox.cloud.endpoint_services import EndpointServices
from sandbox.cloud.errors import AwsError, answered
from sandbox.cloud.identity import Identity, resources_of
from sandbox.cloud.request import (
    Answer,
    Environ,
    Request,
    StartResponse,
    parse,
    read_body,
    send,
    service_of,
    set_body,
)
from sandbox.cloud.revision import Revision
from sandbox.elbv2.lag import Lag
from sandbox.elbv2.throttle import Throttle
from sandbox.layout import ACCOUNT, REGION, Layout

_log = logging.getLogger("sandbox.cloud")

_AWAITED_S, _AWAITED_STEP_S = 1.0, 0.05
_READS = ("Describe", "Get", "List")
_ABOUT_RULES = frozenset(
    {"ModifySecurityGroupRules"}
    | {
        f"{verb}{direction}"
        for verb in ("AuthorizeSecurityGroup", "RevokeSecurityGroup", "UpdateSecurityGroupRuleDescriptions")
        for direction in ("Ingress", "Egress")
    }
)


class Front:
    """The AWS API of the sandbox at `layout` as a WSGI application."""

    def __init__(self, layout: Layout, clock: Callable[[], float] = time.monotonic) -> None:
        self.ec2 = Ec2(ACCOUNT, REGION, layout.elastic_network)
        self.elbv2 = Elbv2(self.ec2, clock)
        self.endpoint_services = EndpointServices(self.ec2, self.elbv2)
        self.cloudwatch = cloudwatch.CloudWatch()
        self.route53 = route53.Route53(clock, lambda: self.elbv2.faults.dns_sync_s)
        self.identity = Identity(layout)
        self.throttle = Throttle()
        self.revision = Revision(self.elbv2)
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._lock = threading.RLock()
        self._chance = random.Random(0)  # noqa: S311 (which call a fault hits)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (WSGI)."""
        path = environ.get("PATH_INFO", "/")
        if path.startswith("/_sandbox/"):
            body = read_body(environ)
            if path == "/_sandbox/revision":
                self._await_change(environ)
            with self._lock:
                status, reply = control.answer(self, environ["REQUEST_METHOD"], path, body)
            return send(start_response, Answer(status, "application/json", json.dumps(reply).encode()))
        if path.startswith("/moto-api"):
            with self._lock:
                return list(self._moto(environ, start_response))
        return self._aws(environ, start_response)

    def _await_change(self, environ: Environ) -> None:
        """With `?after=N`, wait until the revision is not N, at most a second; readers need not poll."""
        seen = parse_qs(environ.get("QUERY_STRING", "")).get("after")
        deadline = time.monotonic() + _AWAITED_S
        while seen and time.monotonic() < deadline:
            with self._lock:
                if [str(self.revision.current())] != seen:
                    return
            time.sleep(_AWAITED_STEP_S)

    def _aws(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        service = service_of(environ)
        try:
            return self._answered(environ, start_response)
        except AwsError as error:
            _log.info("%s refused: %s", service, error)
            failure = error
        except Exception:  # noqa: BLE001 (after any failure of moto the client gets a readable answer)
            _log.exception("%s failed", service)
            failure = AwsError("InternalFailure", "The sandbox failed; see its log.", 500)
        if service in rest.SERVICES or service == quotas.SERVICE:
            return send(start_response, *rest.render_error(failure))
        if service == cloudwatch.SERVICE:
            return send(start_response, *cloudwatch.render_error(failure))
        body = query.render_error(service, failure, secrets.token_hex(16))
        return send(start_response, Answer(failure.status, "text/xml", body))

    def _answered(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        request = parse(environ)
        if request.service in rest.SERVICES or request.service == route53.SERVICE:
            request = replace(request, action=rest.route(request)[0])
        self.identity.prepare(request)
        if request.access_key != DATA_PLANE_KEY:
            time.sleep(self.elbv2.faults.latency_of(request.action))
        with self._lock:
            self.elbv2.remove_lingering()
            if request.access_key != DATA_PLANE_KEY:
                self._limit(request)
            caller = self.identity.admit(request, self._resources(request))
            if request.service == "elasticloadbalancing":
                return send(start_response, self._elbv2(request))
            if request.service == quotas.SERVICE:
                return send(start_response, quotas.answer(request))
            if request.service == cloudwatch.SERVICE:
                return send(start_response, self.cloudwatch.answer(request))
            if request.service == route53.SERVICE:
                return send(start_response, self.route53.answer(request))
            answer = self.identity.answer(request, caller)
            if answer is None:
                return self._forward(request, environ, start_response)
            _log.info("%s:%s", request.service, request.action)
            return send(start_response, answer)

    def _limit(self, request: Request) -> None:
        """Raise the AwsError of an injected fault or of throttling."""
        self.elbv2.faults.refuse(request.service, request.action, self._chance)
        if request.service == "elasticloadbalancing":
            with answered():
                self.throttle.spend(request.action, self.elbv2.faults.rates or {}, self.elbv2.clock())

    def _elbv2(self, request: Request) -> Answer:
        model = query.operation("elbv2", request.action)
        if request.region != REGION:
            raise AwsError(
                "UnsupportedOperation",
                f"Unknown region for load balancers: {request.region}; allowed in the sandbox: {REGION}",
            )
        if request.action not in ACTIONS:
            raise AwsError("InvalidAction", f"The sandbox does not simulate {request.action}")
        params = query.parse(model, request.fields)
        if request.action == "DescribeTargetHealth" and request.access_key != DATA_PLANE_KEY:
            lag = Lag(self.elbv2.faults.health_lag_s, self._chance)
            lag_s = lag.of(self.elbv2.group(params["TargetGroupArn"]).name)
            result = describe_health(self.elbv2, params, lag_s)
        else:
            result = ACTIONS[request.action](self.elbv2, params)
        self._written(request)
        return Answer(200, "text/xml", query.render(model, result, secrets.token_hex(16)))

    def _forward(self, request: Request, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Forward the call to moto, after the rules that moto lacks."""
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
        """After a successful call: apply the parts of rules that moto ignores; count and log writes."""
        if "SecurityGroup" in request.action:
            self.ec2.rules.complete(request.action, request.fields)
        if request.action in ENDING_CHECKS:
            forget_unchecked(self.elbv2)
        if not request.action.startswith(_READS):
            self.revision.bump()
            _log.info("%s:%s", request.service, request.action)

    def _mend(self, request: Request, environ: Environ) -> None:
        fields = request.fields
        self.endpoint_services.require(request.action, fields)
        if request.action == "DeleteSecurityGroup" and "GroupId" in fields:
            self.ec2.require_unused_group(fields["GroupId"])
        elif request.action in {"ReleaseAddress", "DisassociateAddress"}:
            self.ec2.require_own(fields.get("AllocationId") or fields.get("AssociationId", ""))
        elif request.action in _ABOUT_RULES:
            set_body(environ, urlencode(self.ec2.rules.prepare(request.action, fields)).encode())
        elif request.action == "AllocateAddress" and "Address" not in fields:
            # moto can choose 127.0.0.1 or an address of another sandbox; the API accepts an address from the
            # caller.
            set_body(environ, urlencode({**fields, "Address": self.ec2.unused_public_ip()}).encode())
        elif request.action == "RunInstances" and fields.get("MaxCount") == "1":
            address = self.ec2.unused_private_ip(fields.get("SubnetId", ""))
            if address and "PrivateIpAddress" not in fields:
                set_body(environ, urlencode({**fields, "PrivateIpAddress": address}).encode())

    def _resources(self, request: Request) -> tuple[str, ...]:
        """Return the ARNs for the authorisation of the call."""
        if request.access_key == DATA_PLANE_KEY:
            return ()
        if request.service in rest.SERVICES:
            return resources_of(request)
        if request.service == cloudwatch.SERVICE:
            return cloudwatch.resources_of(request)
        if request.service == route53.SERVICE:
            return route53.resources_of(request)
        if request.service == "elasticloadbalancing":
            params = query.parse(query.operation("elbv2", request.action), request.fields)
            return resources.of_load_balancing(request.action, params)
        if request.service == "iam":
            role = self.identity.iam.role(request.fields.get("RoleName", ""))
            return resources.of_identity(request.fields, role)
        return (request.fields["RoleArn"],) if request.action == "AssumeRole" else ("*",)
