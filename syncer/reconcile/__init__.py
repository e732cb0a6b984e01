"""The leader's loop (observe, plan, apply, record) and the state of every group."""
