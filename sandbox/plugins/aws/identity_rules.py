"""The part of the table of rules (property_rules.py) for users, roles and Pod Identity."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from sandbox.plugins.aws.property_rule import REGION, Rule, prefix

_user = partial(Rule, source="iam/user.go")
_policy = partial(Rule, source="iam/user_policy.go")
_key = partial(Rule, source="iam/access_key.go")
_role = partial(Rule, source="iam/role.go")
_role_policy = partial(Rule, source="iam/role_policy.go")
_attachment = partial(Rule, source="iam/role_policy_attachment.go")
_association = partial(Rule, source="eks/pod_identity_association.go")

IDENTITY: Final[Mapping[str, Mapping[str, Rule]]] = {
    "aws:iam/user:User": {
        "name": _user(required=True, pattern=r"^[0-9A-Za-z=,.@\-_+]+$", length=(1, 64), autoname=255),
        "path": _user(default="/", pattern=r"^/([!-~]+/)?$"),
        "forceDestroy": _user(default=False),
        "permissionsBoundary": _user(length=(0, 2048)),
    },
    "aws:iam/userPolicy:UserPolicy": {
        "name": _policy(computed=True, immutable=True, conflicts=("namePrefix",), autoname=255),
        "namePrefix": prefix(_policy, pattern=""),
        "policy": _policy(required=True, form="policy"),
        "user": _policy(required=True, immutable=True),
    },
    "aws:iam/accessKey:AccessKey": {
        "pgpKey": _key(computed=True, unsupported=True),
        "status": _key(default="Active", allowed=("Active", "Inactive")),
        "user": _key(required=True, immutable=True),
        "secret": _key(sensitive=True),
        "sesSmtpPasswordV4": _key(sensitive=True),
    },
    "aws:iam/role:Role": {
        "name": _role(
            computed=True,
            immutable=True,
            conflicts=("namePrefix",),
            pattern=r"^[\w+=,.@-]*$",
            length=(1, 64),
            autoname=64,
        ),
        "namePrefix": prefix(_role, pattern=r"^[\w+=,.@-]*$", length=(1, 38)),
        "assumeRolePolicy": _role(required=True, form="trust-policy"),
        "description": _role(length=(0, 1000)),
        "forceDetachPolicies": _role(default=False),
        "inlinePolicies": _role(computed=True, unsupported=True),
        "managedPolicyArns": _role(computed=True, unsupported=True),
        "maxSessionDuration": _role(default=3600, between=((3600, 43200),)),
        "path": _role(default="/", immutable=True, length=(0, 512)),
        "permissionsBoundary": _role(form="arn"),
    },
    "aws:iam/rolePolicy:RolePolicy": {
        "name": _role_policy(computed=True, immutable=True, conflicts=("namePrefix",), autoname=128),
        "namePrefix": prefix(_role_policy, pattern=""),
        "policy": _role_policy(required=True, form="role-policy"),
        "role": _role_policy(required=True, immutable=True),
    },
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
        "policyArn": _attachment(required=True, immutable=True, form="arn"),
        "role": _attachment(required=True, immutable=True),
    },
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": {
        "region": REGION,
        "clusterName": _association(required=True, immutable=True),
        "namespace": _association(required=True, immutable=True),
        "serviceAccount": _association(required=True, immutable=True),
        "roleArn": _association(required=True, form="arn"),
        "disableSessionTags": _association(computed=True),
        "policy": _association(computed=True, unsupported=True),
        "targetRoleArn": _association(computed=True, unsupported=True),
    },
}
