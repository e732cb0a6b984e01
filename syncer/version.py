"""The version of the syncer, the component, the wheel, the image and the chart; hatchling reads it here."""

from typing import Final

VERSION: Final = "0.1.0"
# The product of HTTP's User-Agent, to AWS and to the API server. The API server takes the part before `/` for
# the field manager of what is written: it stays the same in each version.
USER_AGENT: Final = f"node-nlb-sync/{VERSION}"
