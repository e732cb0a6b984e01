"""Decisions: pure functions from what was seen to what should be sent. No SDK, no I/O, no clock in here.

The way of the data: `node_view` (JSON -> NodeView), `evaluate` (the nine rules), `choose` (one set of
instances for all groups), `plan` (the safety rules, one group at a time).
"""
