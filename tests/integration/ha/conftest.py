"""The household of the syncer's own tests: a real API server and the AWS API over HTTP."""

from tests.integration.syncer.conftest import home, household

__all__ = ["home", "household"]
