"""The Kubernetes API: list-then-watch into caches. The only package that imports the Kubernetes client."""
