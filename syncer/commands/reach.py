"""Access of a command to AWS, the Lease and the ownership registry, with the syncer's own rights."""

import os

from syncer.config.settings import Settings
from syncer.elb.adapter import RETRY_THROTTLED_S, BotoElb
from syncer.interfaces import Leases, Records


def aws(settings: Settings) -> BotoElb:
    """Return the syncer's own client of AWS."""
    return BotoElb(
        [each.group.arn for each in settings.groups],
        access_key=settings.access_key,
        secret_key=settings.secret_key,
        retry_throttled_s=RETRY_THROTTLED_S,
    )


def records_of(settings: Settings) -> Records | None:
    """Return the syncer's ConfigMap; None outside a Pod without a configured namespace."""
    from syncer.cluster.access import configuration  # noqa: PLC0415 - AWS alone is asked without it
    from syncer.cluster.api import Api  # noqa: PLC0415 - as above
    from syncer.cluster.ownname import OwnName  # noqa: PLC0415 - as above
    from syncer.cluster.place import own_place  # noqa: PLC0415 - as above
    from syncer.cluster.record import KubernetesRecords  # noqa: PLC0415 - as above

    place = own_place(os.environ, settings.namespace, settings.name)
    if place is None:
        return None
    api = Api(configuration(os.environ))
    return KubernetesRecords(api, place.namespace, place.name, OwnName(api, place).check)


def lease_of(settings: Settings) -> tuple[str, Leases] | None:
    """Return the Lease's name and the Lease; None outside a Pod without a configured namespace."""
    from syncer.cluster.access import configuration  # noqa: PLC0415 - as above
    from syncer.cluster.api import Api  # noqa: PLC0415 - as above
    from syncer.cluster.lease import KubernetesLeases  # noqa: PLC0415 - as above
    from syncer.cluster.ownname import OwnName  # noqa: PLC0415 - as above
    from syncer.cluster.place import own_place  # noqa: PLC0415 - as above

    place = own_place(os.environ, settings.namespace, settings.name)
    if place is None:
        return None
    api = Api(configuration(os.environ))
    leases = KubernetesLeases(api, place.namespace, place.name, OwnName(api, place).check)
    return f"{place.namespace}/{place.name}", leases
