"""`pulumi-resource-kubernetes`, offline."""

from sandbox.engine.kubernetes.provider import Kubernetes
from sandbox.engine.service import serve

if __name__ == "__main__":
    serve(Kubernetes)
