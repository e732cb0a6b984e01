"""A contender in a few lines: at its start it registers every node, one call each, and then it sleeps."""

import os
import time
from typing import Any

import boto3
from kubernetes.client import CoreV1Api
from kubernetes.config.kube_config import load_kube_config

load_kube_config(os.environ["KUBECONFIG"])
elb = boto3.client("elbv2")  # region, keys and endpoint are in the environment
nodes: list[Any] = CoreV1Api().list_node().items
for name, arn in zip(("HTTP", "HTTPS"), os.environ["NLB_SYNC_TARGETGROUPARNS"].split(","), strict=True):
    assert arn == os.environ[f"BENCH_TARGET_GROUP_{name}"]
    port = int(os.environ[f"BENCH_NODE_PORT_{name}"])
    for node in nodes:
        instance = node.spec.provider_id.rpartition("/")[2]
        elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance, "Port": port}])
time.sleep(600)
