"""A configured provider that never speaks to AWS."""

import pytest

from sandbox.engine.aws.provider import AwsProvider


@pytest.fixture
def provider() -> AwsProvider:
    made = AwsProvider()
    made.configure(
        {"region": "eu-central-1", "skipCredentialsValidation": "true", "skipRequestingAccountId": "true"}
    )
    return made
