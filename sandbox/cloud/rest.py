"""The routes of EKS and EKS Auth: rest-json by botocore's models, which name each route's action."""

import json
import re
from functools import cache
from typing import Any, Final
from urllib.parse import unquote

from sandbox.cloud.errors import AwsError
from sandbox.cloud.query import service_model
from sandbox.cloud.request import Answer, Request

SERVICES: Final = frozenset({"eks", "eks-auth"})
JSON: Final = "application/json"


def route(request: Request) -> tuple[str, tuple[str, ...]]:
    """The action of a request, and the parts of its path that vary. Raises AwsError for none."""
    for method, pattern, action in _routes(request.service):
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            return action, tuple(map(unquote, found.groups()))
    raise AwsError("UnknownOperationException", f"No such operation: {request.method} {request.path}", 404)


def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body."""
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AwsError("SerializationException", "The body of the request is not a JSON object.")
    return found


def render(result: dict[str, Any]) -> Answer:
    """The answer of an operation that succeeded."""
    return Answer(200, JSON, json.dumps(result).encode())


def render_error(error: AwsError) -> tuple[Answer, list[tuple[str, str]]]:
    """The answer of an operation that was refused, and the headers that name its code."""
    code = "AccessDeniedException" if error.code == "AccessDenied" else error.code
    text = {"__type": code, "message": error.message}
    return Answer(error.status, JSON, json.dumps(text).encode()), [("x-amzn-errortype", code)]


@cache
def _routes(service: str) -> list[tuple[str, re.Pattern[str], str]]:
    model = service_model(service)
    found = []
    for action in model.operation_names:
        http = model.operation_model(action).http
        pattern = re.sub(r"\\{\w+\\}", "([^/]+)", re.escape(http["requestUri"].partition("?")[0]))
        found.append((http["method"], re.compile(pattern), action))
    return found
