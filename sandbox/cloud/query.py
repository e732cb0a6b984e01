"""The AWS query protocol: form fields to a structure, a structure to XML, by botocore's service model.

botocore has the shapes of every operation, so requests and responses match any SDK.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

import botocore.session
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from sandbox.cloud.errors import AwsError, AwsValidationError

Structure = dict[str, Any]


@cache
def service_model(name: str) -> ServiceModel:
    """Return botocore's model of a service."""
    return botocore.session.get_session().get_service_model(name)


@cache
def operation(service: str, action: str) -> OperationModel:
    """Return the model of an action. Raises AwsError InvalidAction for an unknown action of the service."""
    model = service_model(service)
    if action not in model.operation_names:
        raise AwsError("InvalidAction", f"Could not find operation {action} for version {model.api_version}")
    return model.operation_model(action)


def parse(model: OperationModel, fields: dict[str, str]) -> Structure:
    """Return the input of an operation from its form fields.

    Raises AwsValidationError for a missing required member or a value of a wrong type.
    """
    if model.input_shape is None:
        return {}
    return _structure(model.input_shape, fields, "")


def _structure(shape: StructureShape, fields: dict[str, str], prefix: str) -> Structure:
    found: Structure = {}
    for name, member in shape.members.items():
        value = _value(member, fields, prefix + member.serialization.get("name", name))
        if value is not None:
            found[name] = value
        elif name in shape.required_members:
            raise AwsValidationError(f"{prefix}{name} must not be null")
    return found


def _value(shape: Shape, fields: dict[str, str], key: str) -> Any:
    if isinstance(shape, StructureShape):
        nested = {name: text for name, text in fields.items() if name.startswith(f"{key}.")}
        return _structure(shape, nested, f"{key}.") if nested else None
    if isinstance(shape, ListShape):
        return _list(shape, fields, key)
    text = fields.get(key)
    return None if text is None else _scalar(shape, text, key)


def _list(shape: ListShape, fields: dict[str, str], key: str) -> list[Any] | None:
    prefix = f"{key}.member."
    by_index: dict[int, dict[str, str]] = {}
    for name, text in fields.items():
        if name.startswith(prefix):
            index = name[len(prefix) :].partition(".")[0]
            by_index.setdefault(int(index), {})[name] = text
    if not by_index:
        return [] if key in fields else None  # an empty list is sent as the bare name
    return [_value(shape.member, by_index[index], f"{prefix}{index}") for index in sorted(by_index)]


def _scalar(shape: Shape, text: str, key: str) -> Any:
    try:
        if shape.type_name in {"integer", "long"}:
            return int(text)
        if shape.type_name in {"float", "double"}:
            return float(text)
    except ValueError:
        raise AwsValidationError(f"Value '{text}' at '{key}' must be a number") from None
    return text.lower() == "true" if shape.type_name == "boolean" else text


def render(model: OperationModel, result: Structure, request_id: str) -> bytes:
    """Return the XML of a successful operation."""
    namespace = model.service_model.metadata["xmlNamespace"]
    parts = [f'<{model.name}Response xmlns="{namespace}">']
    if model.output_shape is not None:
        wrapper = model.output_shape.serialization.get("resultWrapper", f"{model.name}Result")
        parts.append(f"<{wrapper}>")
        _members(model.output_shape, result, parts)
        parts.append(f"</{wrapper}>")
    parts.append(f"<ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata>")
    parts.append(f"</{model.name}Response>")
    return "".join(parts).encode()


def _members(shape: StructureShape, value: Structure, parts: list[str]) -> None:
    for name, member in shape.members.items():
        if value.get(name) is not None:
            _element(member, value[name], member.serialization.get("name", name), parts)


def _element(shape: Shape, value: Any, tag: str, parts: list[str]) -> None:
    parts.append(f"<{tag}>")
    if isinstance(shape, StructureShape):
        _members(shape, value, parts)
    elif isinstance(shape, ListShape):
        for item in value:
            _element(shape.member, item, "member", parts)
    else:
        parts.append(_text(value))
    parts.append(f"</{tag}>")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return escape(str(value))


def render_error(service: str, error: AwsError, request_id: str) -> bytes:
    """Return the XML of a refusal: EC2 has its own form, all other query services share a form."""
    code, message = escape(error.code), escape(error.message)
    if service == "ec2":
        return (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        ).encode()
    fault = "Sender" if error.status < 500 else "Receiver"  # noqa: PLR2004 (HTTP's own boundary)
    return (
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>{request_id}</RequestId></ErrorResponse>"
    ).encode()
