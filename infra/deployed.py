"""The syncer of a cluster: image, rights, credentials and workload."""

from dataclasses import dataclass, replace

import pulumi

from .component import Component
from .groups import Groups
from .identity import Account, identity
from .image import BuiltImage, warn_without_digest
from .ingress import IngressService
from .keys import Settings
from .policy import policy
from .rbac import Rbac
from .workload import Workload, target_groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """The syncer's IAM policy, its list of target groups, and namespace and name of its Deployment."""

    policy: pulumi.Output[str]
    followed: pulumi.Output[str]
    names: pulumi.Output[dict[str, str]]


def deployed(
    name: str, settings: Settings, groups: Groups, ingress: IngressService, component: Component
) -> Deployed:
    """Create the syncer of `groups` beneath the component."""
    here, arns = component.beneath(), groups.arns
    if settings.syncer.image is None:
        built = BuiltImage(name, settings, here).reference
        settings = replace(settings, syncer=replace(settings.syncer, image=built))
    else:
        warn_without_digest(settings.syncer.image, component)
    document = pulumi.Output.all(*[arns[key] for key in sorted(arns)]).apply(
        lambda known: policy(known, doctor_rights=settings.identity.doctor_rights)
    )
    rights = Rbac(name, settings, component.beneath(depends_on=[ingress]))
    account = Account(namespace=settings.syncer_namespace, name=rights.service_account_name)
    credentials, given = identity(name, settings, document=document, account=account, opts=here)
    # All dependencies of the syncer are created before the syncer and deleted after the syncer.
    before = [ingress, *groups.parts, rights, *([credentials] if credentials else [])]
    followed = target_groups(settings, arns, ingress.followed)
    workload = Workload(
        name,
        settings,
        region=groups.region,
        groups=followed,
        given=given,
        opts=component.beneath(depends_on=before),
    )
    deployment = workload.deployment.metadata
    names = pulumi.Output.all(namespace=deployment.namespace, deployment=deployment.name)
    return Deployed(policy=document, followed=followed, names=names)
