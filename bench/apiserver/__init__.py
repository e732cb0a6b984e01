"""An API server for clusters that are too large for a real one on this machine.

Nodes are rendered from a Node read from the real API server, so that both servers send the same content. Each
request for another resource is relayed to the real API server.
"""
