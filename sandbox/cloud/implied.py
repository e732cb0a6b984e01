"""The further actions that a call needs: for tags and security groups of a new resource, and for a role.

The service authorization reference lists them as dependent actions, except GetSecurityGroupsForVpc.
CreateLoadBalancer requires GetSecurityGroupsForVpc since 2024 (issue 3917 of the AWS Load Balancer
Controller).
"""

from collections.abc import Iterator

from sandbox.cloud import cloudwatch, rest
from sandbox.cloud.policy import Call
from sandbox.cloud.request import Request
from sandbox.layout import ACCOUNT, REGION

_PODS = "pods.eks.amazonaws.com"
_TAGGED_IDENTITY = {"CreateRole": "iam:TagRole", "CreateUser": "iam:TagUser"}


def implied(request: Request, resources: tuple[str, ...]) -> Iterator[Call]:
    """Yield the calls that the caller also needs permission for, beside `request` on `resources`."""
    if request.service == cloudwatch.SERVICE:
        yield from cloudwatch.implied(request, resources)
        return
    fields, action = request.fields, request.action
    tagged = any(name.startswith(("Tags.", "TagSpecification")) for name in fields)
    if action in {"CreateLoadBalancer", "SetSecurityGroups"} and "SecurityGroups.member.1" in fields:
        yield Call("ec2:GetSecurityGroupsForVpc", ("*",), request.region)
    if request.service == "elasticloadbalancing" and action.startswith("Create") and tagged:
        if action == "CreateListener":
            resources = tuple(f"{arn.replace(':loadbalancer/', ':listener/')}/*" for arn in resources)
        context = {"elasticloadbalancing:createaction": (action,)}
        yield Call("elasticloadbalancing:AddTags", resources, request.region, context)
    elif request.service == "ec2" and tagged and action != "CreateTags":
        yield Call("ec2:CreateTags", resources, request.region, {"ec2:createaction": (action,)})
    elif action in _TAGGED_IDENTITY and tagged:
        yield Call(_TAGGED_IDENTITY[action], resources, request.region)
    elif action in {"CreatePodIdentityAssociation", "UpdatePodIdentityAssociation"}:
        body = rest.body_of(request)
        if "roleArn" in body:
            role = (str(body["roleArn"]),)
            yield Call("iam:PassRole", role, request.region, {"iam:passedtoservice": (_PODS,)})
        if action.startswith("Create") and body.get("tags"):
            cluster = resources[0].rpartition("/")[2]
            made = f"arn:aws:eks:{REGION}:{ACCOUNT}:podidentityassociation/{cluster}/*"
            yield Call("eks:TagResource", (made,), request.region)
