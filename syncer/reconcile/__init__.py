"""The loop of the leader: observe, plan, apply, record; and what each group has to remember for it."""
