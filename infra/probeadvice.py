"""Warn of a health check that the ingress controller of `ingress.preset` does not answer."""

from collections.abc import Iterator

from .healthkeys import TCP
from .ingresspresets import INGRESS_PRESETS
from .keys import Settings


def unanswered_checks(settings: Settings) -> Iterator[str]:
    """Yield a warning for a request that differs from the probe of the preset's chart.

    A controller may be configured to answer it, so it is no error. Checks of the TCP connection, of
    kube-proxy and of a port number are not the controller's probe.
    """
    preset = INGRESS_PRESETS.get(settings.ingress.preset or "")
    probe = preset.health_check if preset else {}
    if preset is None or "servicePort" not in probe:
        return
    checks = {
        "healthCheck" if check == settings.health_check else f"listeners[{index}].healthCheck": check
        for index, check in enumerate(settings.health_checks)
    }
    for path, check in checks.items():
        if check.port is not None or check.protocol == TCP:
            continue
        if (check.service_port, check.path, check.protocol) != (probe["servicePort"], probe["path"], "HTTP"):
            yield (
                f"{path} asks {check.protocol} {check.path} on port {check.service_port}; {preset.chart} "
                f"answers HTTP {probe['path']} on port {probe['servicePort']}: targets stay unhealthy unless "
                "the controller is configured for this check"
            )
