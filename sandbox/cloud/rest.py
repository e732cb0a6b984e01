"""The routes of EKS and EKS Auth: rest-json, with the actions of botocore's models."""

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
    """Return a request's action and the variable parts of its path. Raises AwsError for an unknown route."""
    for method, pattern, action in _routes(request.service):
        found = pattern.fullmatch(request.path)
        if found and method == request.method:
            return action, tuple(map(unquote, found.groups()))
    raise AwsError("UnknownOperationException", f"No such operation: {request.method} {request.path}", 404)


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request's body."""
    try:
        found = json.loads(request.body or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise AwsError("SerializationException", "The body of the request is not a JSON object.")
    return found


def render(result: dict[str, Any]) -> Answer:
    """Return the answer of a successful operation."""
    return Answer(200, JSON, json.dumps(result).encode())


def render_error(error: AwsError) -> tuple[Answer, list[tuple[str, str]]]:
    """Return the answer of a refused operation, and the headers with its error code."""
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
