"""Decisions: pure functions from observed state to the calls to send, without an SDK, I/O or a clock.

Data flow: `node_view` (JSON -> NodeView), `evaluate` (the nine rules), `choose` (the same instances for all
groups), `plan` (the safety rules, one group at a time).
"""
