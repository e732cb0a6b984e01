"""Removes moto's catalogue of all EC2 instance types in all Regions, because no sandbox reads the catalogue.

The catalogue is 72 of the 179 MB of the process (measured with moto 5.2.5).
"""

import gc

from moto.ec2.models import instance_types

from sandbox.cloud.network import INSTANCE_TYPE
from sandbox.layout import REGION


def keep_only_ours() -> None:
    """Keep only the nodes' instance type in the sandbox's Region."""
    kept = instance_types.INSTANCE_TYPES[INSTANCE_TYPE]
    instance_types.INSTANCE_TYPES.clear()
    instance_types.INSTANCE_TYPES[INSTANCE_TYPE] = kept
    for regions in instance_types.INSTANCE_TYPE_OFFERINGS.values():
        offered = [one for one in regions.get(REGION, ()) if one["InstanceType"] == INSTANCE_TYPE]
        regions.clear()
        regions[REGION] = offered
    gc.collect()
