"""botocore's session, without the 7 MiB of JSON that it would keep for as long as a client lives."""

from typing import Any

from botocore.loaders import create_loader
from botocore.session import Session


class _ForgetfulLoader:
    """Stands for botocore's loader of its data files, and reads one anew when it is asked for.

    A client is made of the endpoints of all services and of its own service's model, documentation included;
    it takes what it needs, but the loader, which it holds, remembers all of it.
    """

    def __init__(self, data_path: str | None) -> None:
        self._data_path = data_path

    def __getattr__(self, name: str) -> Any:
        return getattr(create_loader(self._data_path), name)


def forgetful_session() -> Session:
    """For boto3 to make clients of; credentials and settings are found as ever."""
    session = Session()
    session.register_component("data_loader", _ForgetfulLoader(session.get_config_variable("data_path")))
    return session
