"""A configured provider that never speaks to AWS."""

import pytest

from sandbox.plugins.aws.provider import AwsProvider


@pytest.fixture
def provider() -> AwsProvider:
    made = AwsProvider()
    made.configure(
        {"region": "eu-central-1", "skipCredentialsValidation": "true", "skipRequestingAccountId": "true"}
    )
    return made
