"""The provider's configuration: the meaning of `aws:` keys, and the refused keys."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sandbox.plugins.aws.schema import PROVIDER, Type, shapes
from sandbox.plugins.aws.session import Access
from sandbox.plugins.provider import Failure, Resource
from sandbox.plugins.values import PropertyMap, Unknown, has_unknown

_ENGINE_KEYS: Final = frozenset({"version", "pluginDownloadURL", "pluginChecksums", "parameterization"})
_REGION_VARIABLES: Final = ("AWS_REGION", "AWS_DEFAULT_REGION")
# The provider has several names for a service (names/data/names_data.hcl); boto3 has a single name.
_SERVICES: Final = {
    "cloudwatch": "cloudwatch",
    "route53": "route53",
    "ec2": "ec2",
    "elbv2": "elbv2",
    "elasticloadbalancingv2": "elbv2",
    "iam": "iam",
    "eks": "eks",
    "servicequotas": "service-quotas",
    "sts": "sts",
}
_NO_REGION: Final = (
    "Missing region information: set your AWS region, for example `pulumi config set aws:region us-west-2`"
)
_UNSUPPORTED: Final = frozenset(
    {
        "assumeRoles",
        "assumeRoleWithWebIdentity",
        "customCaBundle",
        "httpProxy",
        "httpsProxy",
        "ignoreTags",
        "insecure",
        "noProxy",
        "sharedConfigFiles",
        "sharedCredentialsFiles",
        "stsRegion",
        "useDualstackEndpoint",
        "useFipsEndpoint",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The stack's AWS configuration, parsed once."""

    access: Access
    skip_credentials_validation: bool = False
    skip_account_id: bool = False
    allowed_accounts: tuple[str, ...] = ()
    forbidden_accounts: tuple[str, ...] = ()


def with_environment(news: PropertyMap) -> PropertyMap:
    """Return `news`; without a region in the stack, add the region of the environment."""
    found = next((os.environ[name] for name in _REGION_VARIABLES if os.environ.get(name)), None)
    return {**news, "region": found} if found and not news.get("region") else dict(news)


def failures(resource: Resource, news: PropertyMap) -> Iterator[Failure]:
    """Yield the errors in `news`; stack config arrives as strings that contain JSON."""
    if not news.get("region"):
        yield Failure("", _NO_REGION)
    known = shapes()[PROVIDER].inputs
    for key, raw in news.items():
        if key in _ENGINE_KEYS or key.startswith("__") or has_unknown(raw) or raw is None:
            continue
        if key not in known:
            yield _failure(resource, key, "Invalid or unknown key")
            continue
        value = _parsed(known[key], raw)
        if not _fits(known[key], value):
            yield _failure(resource, key, f"a {known[key].kind} is required, got {json.dumps(raw)}")
        elif key in _UNSUPPORTED and value:
            yield _failure(resource, key, "the offline provider does not support this")
        else:
            yield from _unknown_inside(resource, key, known[key], value)


def parse(news: PropertyMap) -> Configuration:
    """Parse the checked configuration."""
    known = shapes()[PROVIDER].inputs
    values = {
        key: _parsed(known[key], raw)
        for key, raw in news.items()
        if key in known and raw is not None and not has_unknown(raw)
    }
    defaults = (values.get("defaultTags") or {}).get("tags") or {}
    return Configuration(
        access=Access(
            region=values.get("region", ""),
            access_key=values.get("accessKey", ""),
            secret_key=values.get("secretKey", ""),
            token=values.get("token", ""),
            profile=values.get("profile", ""),
            endpoints=_endpoints(values.get("endpoints") or ()),
            default_tags={key: value for key, value in defaults.items() if key != "__defaults"},
            retries=max(1, int(values.get("maxRetries", 4)) + 1),
        ),
        skip_credentials_validation=values.get("skipCredentialsValidation", False),
        skip_account_id=values.get("skipRequestingAccountId", False),
        allowed_accounts=tuple(values.get("allowedAccountIds") or ()),
        forbidden_accounts=tuple(values.get("forbiddenAccountIds") or ()),
    )


def _endpoints(given: Any) -> dict[str, str]:
    blocks = [given] if isinstance(given, Mapping) else given
    return {
        _SERVICES[name]: url for block in blocks for name, url in block.items() if name in _SERVICES and url
    }


def _unknown_inside(resource: Resource, key: str, kind: Type, value: Any) -> Iterator[Failure]:
    """Yield unknown names in nested blocks, such as an unknown service in `endpoints`."""
    item = kind.item if kind.kind == "list" else kind
    blocks = value if kind.kind == "list" else [value]
    if item is None or item.kind != "object":
        return
    for index, block in enumerate(blocks):
        where = f"{key}[{index}]" if kind.kind == "list" else key
        if not isinstance(block, Mapping):
            yield _failure(resource, where, f"an object is required, got {json.dumps(block)}")
            continue
        for name in sorted(set(block) - set(item.properties) - {"__defaults"}):
            yield _failure(resource, f"{where}.{name}", f"Invalid or unknown key {name}")


def _failure(resource: Resource, key: str, problem: str) -> Failure:
    """Return a failure in the wording of the bridge, for a provider configured by stack or program."""
    if resource.name.startswith("default"):
        where = f"Check `pulumi config get aws:{key.partition('[')[0].partition('.')[0]}`"
    else:
        where = f"Examine values at '{resource.name}.{key}'"
    return Failure("", f"could not validate provider configuration: {problem}. {where}.")


def _parsed(kind: Type, raw: Any) -> Any:
    """Parse a value passed as text: the engine passes all but plain strings as text."""
    if kind.kind == "string" or not isinstance(raw, str):
        return raw
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def _fits(kind: Type, value: Any) -> bool:
    if isinstance(value, Unknown):
        return True
    wanted: dict[str, Any] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "boolean": bool,
        "list": (list, dict),
        "map": dict,
        "object": dict,
    }
    fits = isinstance(value, wanted.get(kind.kind, object))
    return fits and not (isinstance(value, bool) and kind.kind != "boolean")
