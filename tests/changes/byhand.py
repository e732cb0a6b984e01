"""Changes of another person or tool, which `up` repairs."""

from sandbox.cloud.network import NODE_GROUP_ID
from tests.changes.stand import Stand

_PLACE = "ingress-traefik"


def delete_service(stand: Stand) -> None:
    """Delete the NodePort Service."""
    stand.api.delete(f"/api/v1/namespaces/{_PLACE}/services/traefik-ingress-service-nlb")


def delete_syncer(stand: Stand) -> None:
    """Delete the syncer's Deployment."""
    found = stand.outputs()["syncer"]
    stand.api.delete(f"/apis/apps/v1/namespaces/{found['namespace']}/deployments/{found['deployment']}")


def remove_rule(stand: Stand) -> None:
    """Remove the rule that admits the load balancer to a NodePort."""
    ec2, port = stand.aws("ec2"), stand.outputs()["nodePorts"]["http"]
    filters = [{"Name": "group-id", "Values": [NODE_GROUP_ID]}]
    rules = ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    wrong = [each["SecurityGroupRuleId"] for each in rules if each.get("FromPort") == port]
    ec2.revoke_security_group_ingress(GroupId=NODE_GROUP_ID, SecurityGroupRuleIds=wrong)


def delete_listener(stand: Stand) -> None:
    """Delete the listener on port 80."""
    elb = stand.aws("elbv2")
    arn = stand.outputs()["loadBalancerArn"]
    for each in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        if each["Port"] == 80:
            elb.delete_listener(ListenerArn=each["ListenerArn"])


def change_delay(stand: Stand) -> None:
    """Change an attribute of each target group."""
    elb = stand.aws("elbv2")
    for arn in stand.outputs()["targetGroups"].values():
        elb.modify_target_group_attributes(
            TargetGroupArn=arn,
            Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}],
        )


def create_cilium_service(stand: Stand) -> None:
    """Create the Service of Cilium's chart (ingressController.enabled, service.type NodePort), if missing."""
    place = "/api/v1/namespaces/kube-system/services"
    ports = [{"name": name, "port": port} for name, port in (("http", 80), ("https", 443))]
    service = {"metadata": {"name": "cilium-ingress"}, "spec": {"type": "NodePort", "ports": ports}}
    if all(each["metadata"]["name"] != "cilium-ingress" for each in stand.api.get(place)["items"]):
        stand.api.create(place, service)
