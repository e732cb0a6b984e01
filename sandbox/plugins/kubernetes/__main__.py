"""`pulumi-resource-kubernetes`, offline."""

from sandbox.plugins.kubernetes.provider import Kubernetes
from sandbox.plugins.service import serve

if __name__ == "__main__":
    serve(Kubernetes)
