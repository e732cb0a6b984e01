"""The Kubernetes side: list-then-watch into caches. The only package that imports the Kubernetes client."""
