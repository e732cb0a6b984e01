"""How a question reaches AWS: as the syncer does, with its settings and credentials."""

from syncer.elb.adapter import BotoElb
from syncer.settings import Settings


def aws(settings: Settings) -> BotoElb:
    """The syncer's own way to AWS."""
    return BotoElb(
        [each.group.arn for each in settings.groups],
        access_key=settings.access_key,
        secret_key=settings.secret_key,
    )
