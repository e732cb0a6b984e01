"""aws:eks/getCluster, iam/getRole and iam/getOpenIdConnectProvider (the data sources of those names)."""

import json
from typing import Any, Final
from urllib.parse import unquote

from sandbox.plugins.aws.session import Aws, doing
from sandbox.plugins.provider import ProviderError
from sandbox.plugins.values import PropertyMap

# Fields of the API's clusters that the sandbox's clusters lack.
_ABSENT: Final = (
    "accessConfigs",
    "computeConfigs",
    "controlPlaneScalingConfigs",
    "enabledClusterLogTypes",
    "kubeApiServerConfigs",
    "kubeControllerManagerConfigs",
    "kubeSchedulerConfigs",
    "kubernetesNetworkConfigs",
    "outpostConfigs",
    "remoteNetworkConfigs",
    "storageConfigs",
    "upgradePolicies",
    "zonalShiftConfigs",
)


def get_cluster(aws: Aws, args: PropertyMap) -> PropertyMap:
    """DescribeCluster."""
    name = args["name"]
    with doing(f"reading EKS Cluster ({name})"):
        found = aws.eks.describe_cluster(name=name)["cluster"]
    network = found["resourcesVpcConfig"]
    names = ("clusterSecurityGroupId", "endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
    return {
        **{key: [] for key in _ABSENT},
        **{key: found[key] for key in ("arn", "endpoint", "name", "platformVersion", "roleArn", "status")},
        "id": name,
        "region": aws.region,
        "clusterId": "",
        "deletionProtection": False,
        "certificateAuthorities": [{"data": found["certificateAuthority"]["data"]}],
        "createdAt": found["createdAt"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "identities": [{"oidcs": [{"issuer": found["identity"]["oidc"]["issuer"]}]}],
        "tags": found.get("tags", {}),
        "version": found["version"],
        "vpcConfig": {
            **{key: network[key] for key in (*names, "securityGroupIds", "subnetIds", "vpcId")},
            "controlPlaneEgressMode": "AWS_MANAGED",
        },
    }


def get_role(aws: Aws, args: PropertyMap) -> PropertyMap:
    """GetRole."""
    name = args["name"]
    with doing(f"reading IAM Role ({name})"):
        found: Any = aws.iam.get_role(RoleName=name)["Role"]
    policy = found["AssumeRolePolicyDocument"]
    used = found.get("RoleLastUsed") or {}
    date = used["LastUsedDate"].strftime("%Y-%m-%dT%H:%M:%SZ") if used.get("LastUsedDate") else ""
    return {
        "id": name,
        "name": name,
        "arn": found["Arn"],
        "assumeRolePolicy": unquote(policy)
        if isinstance(policy, str)
        else json.dumps(policy, separators=(",", ":")),
        "createDate": found["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "description": found.get("Description", ""),
        "maxSessionDuration": found.get("MaxSessionDuration", 3600),
        "path": found["Path"],
        "permissionsBoundary": (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn", ""),
        "roleLastUseds": [{"lastUsedDate": date, "region": used.get("Region", "")}] if used else [],
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
        "uniqueId": found["RoleId"],
    }


def get_oidc_provider(aws: Aws, args: PropertyMap) -> PropertyMap:
    """Return the OpenID Connect provider with an ARN or URL. Raises ProviderError for a missing provider."""
    arn, url = args.get("arn"), str(args.get("url") or "").removeprefix("https://")
    if bool(arn) == bool(url):
        raise ProviderError('invalid combination of arguments: "arn": one of `arn,url` must be specified')
    if not arn:
        with doing(f"finding IAM OIDC Provider by url ({url})"):
            listed = aws.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        arns = [each["Arn"] for each in listed]
        arn = next((one for one in arns if one.partition(":oidc-provider/")[2] == url), None)
        if arn is None:
            raise ProviderError(f"finding IAM OIDC Provider by url ({url}): not found")
    with doing(f"reading IAM OIDC Provider ({arn})"):
        found = aws.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "id": arn,
        "arn": arn,
        "url": found["Url"],
        "clientIdLists": found["ClientIDList"],
        "thumbprintLists": found["ThumbprintList"],
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])},
    }
