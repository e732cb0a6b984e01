"""The offline Kubernetes provider: any kind the API server serves, with the official provider's manners.

Source comments name files of pulumi-kubernetes 4.x below provider/pkg.
"""
