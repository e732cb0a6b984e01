"""The offline Kubernetes provider: any kind of the API server, with the official provider's behaviour.

Source comments name files of pulumi-kubernetes 4.x below provider/pkg.
"""
