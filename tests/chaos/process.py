"""A server or a worker as ``python -m server`` runs it, which finds out sooner that another is dead.

``python -m tests.chaos.process serve`` or ``worker``.
"""

from __future__ import annotations

import logging
import sys

from server.queue.timing import Timing
from server.services import work
from server.serving import Address, serve
from server.settings import Settings

# Half of what is used otherwise, so that half of the time goes by. Shorter ones would be missed by a process that is
# alive on a busy machine, and three of such mistakes set a submission aside.
TIMING = Timing(
    lease_seconds=3,
    renew_seconds=0.5,
    retry_seconds=1,
    inspect_again_seconds=1,
    dead_seconds=3,
    heartbeat_seconds=0.5,
    sweep_seconds=0.5,
)


def main() -> int:
    """Be what the first argument says, until a signal ends it."""
    logging.basicConfig(level=logging.INFO)
    settings = Settings()
    if sys.argv[1] == "worker":
        return work(settings, TIMING)
    return serve(settings, Address(settings.host, settings.port), logging.info, TIMING)


if __name__ == "__main__":
    sys.exit(main())
