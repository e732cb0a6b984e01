"""The sandbox's own endpoints of its cloud, for what AWS does not have."""

import json
from typing import Any
from urllib.request import Request, urlopen

# What an organisation denies that allows no IAM users.
NO_USERS = {"Effect": "Deny", "Action": ["iam:*User*", "iam:*AccessKey*"], "Resource": "*"}


def control(aws_url: str, method: str, path: str, body: object = None) -> Any:
    """Call `/_sandbox/PATH` with a body in JSON; return the answer's."""
    data = None if body is None else json.dumps(body).encode()
    request = Request(f"{aws_url}/_sandbox/{path}", data=data, method=method)  # noqa: S310 (loopback)
    with urlopen(request, timeout=10) as answer:  # noqa: S310 (loopback)
        return json.load(answer)
