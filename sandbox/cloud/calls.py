"""The authorised and refused calls by caller, as the input for a policy; and the User-Agents."""

from collections import defaultdict

from sandbox.cloud.policy import Call


class Calls:
    """The actions and resources that callers requested, allowed or not."""

    def __init__(self) -> None:
        self._by_caller: dict[str, dict[str, set[str]]] = {}
        self.user_agents: set[str] = set()

    def record(self, caller_arn: str, call: Call) -> None:
        """Record a call."""
        actions = self._by_caller.setdefault(caller_arn, defaultdict(set))
        actions[call.action].update(call.resources)

    def shown(self) -> dict[str, dict[str, list[str]]]:
        """`{caller ARN: {action: [resource ARN]}}`, sorted."""
        return {
            caller: {action: sorted(resources) for action, resources in sorted(actions.items())}
            for caller, actions in sorted(self._by_caller.items())
        }

    def clear(self) -> None:
        """Remove all calls and User-Agents."""
        self._by_caller.clear()
        self.user_agents.clear()
