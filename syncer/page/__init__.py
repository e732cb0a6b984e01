"""The page `/`: an HTML document, built once from the files of this folder, that shows /status.

The page has no data of the cluster: the script fetches /status and creates text nodes from the answer. The
Content-Security-Policy allows exactly the page's style and script, by hashes, and requests to the syncer
alone; Trusted Types prevent the script from making markup of a string.
"""

import base64
import hashlib
from importlib import resources

from syncer.telemetry.web import Answer


def page() -> Answer:
    """Return the answer of `/`; constant during the life of the process."""
    style, script = _source("page.css"), _source("facts.js") + _source("page.js")
    html = _source("page.html").replace("/*page.css*/", style).replace("/*page.js*/", script)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )
    return Answer(
        200,
        html.encode(),
        "text/html; charset=utf-8",
        headers=(("Content-Security-Policy", policy), ("Referrer-Policy", "no-referrer")),
        etag=f'W/"{_hash(html)}"',
    )


def _source(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(source: str) -> str:
    """Return a hash source of CSP level 3, over the exact text between the tags."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
