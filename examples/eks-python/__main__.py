"""A Network Load Balancer in front of an EKS cluster that another stack owns.

That stack exports `kubeconfig`, `clusterName`, `vpcId`, `nodeSecurityGroupId` and `publicSubnetIds`, a map
from the availability zone to the id of a public subnet.
"""

import pulumi
import pulumi_kubernetes as kubernetes
from node_nlb_sync import NodeNlb

config = pulumi.Config()
cluster = pulumi.StackReference(config.require("clusterStack"))
subnets = cluster.require_output("publicSubnetIds")
provider = kubernetes.Provider(
    "cluster",
    kubeconfig=cluster.require_output("kubeconfig"),
    # A changed ConfigMap or Secret is updated in place; without these it is deleted and made again.
    enable_config_map_mutable=True,
    enable_secret_mutable=True,
)
nlb = NodeNlb(
    "ingress",
    {
        "vpc_id": cluster.require_output("vpcId"),
        "node_security_group_id": cluster.require_output("nodeSecurityGroupId"),
        "zones": {zone: {"subnet_id": subnets[zone]} for zone in config.require_object("zones")},
        "ingress": {  # the Service of Traefik's Helm chart; docs/stack.md has its values
            "create": False,
            "namespace": "traefik",
            "name": "traefik",
            "ports": [
                {"name": "web", "port": 80},
                {"name": "websecure", "port": 443},
                {"name": "traefik", "port": 8080},
            ],
        },
        "listeners": [
            {"name": "http", "port": 80, "service_port": "web"},
            {"name": "https", "port": 443, "service_port": "websecure"},
        ],
        "health_check": {"service_port": "traefik"},
        "identity": {"kind": "pod-identity", "cluster_name": cluster.require_output("clusterName")},
        "syncer": {"image": config.require("image")},
    },
    pulumi.ResourceOptions(providers=[provider]),
)
pulumi.export("staticIps", nlb.static_ips)
pulumi.export("dnsName", nlb.dns_name)
