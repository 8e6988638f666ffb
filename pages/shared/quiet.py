"""What would dial other machines without being asked is switched off."""

import os

from streamlit import net_util

_OFF = {"HF_HUB_DISABLE_TELEMETRY": "1", "RAY_USAGE_STATS_ENABLED": "0", "DO_NOT_TRACK": "1"}


def stay_here() -> None:
    """Keeps this process, and those that it starts, from calling out.

    Streamlit 1.67 asks a web service for this machine's public address whenever a page of an unknown origin tries to connect,
    to see whether it is its own; no setting stops that. Without an answer such a page is refused, as it should be.
    """
    os.environ.update(_OFF)
    net_util.get_external_ip = _nobody_asked


def _nobody_asked() -> None:
    return None
