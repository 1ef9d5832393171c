"""Every interval that the queue, its workers and the requests that wait for them keep."""

from __future__ import annotations

from dataclasses import dataclass

from server.queue.queries import TRIES_MAX


@dataclass(frozen=True)
class Timing:
    """Intervals in seconds. Tests hand in others; an operator has nothing to choose here."""

    lease_seconds: float = 6.0
    """A running ticket whose lease was not renewed for this long is taken again: its worker is dead. A run takes at
    most 5 seconds, and a student should not wait half a minute for a grade."""

    renew_seconds: float = 1.0
    """Between two renewals of a lease."""

    retry_seconds: float = 2.0
    """Before a lost run is tried again, multiplied by the number of the try."""

    database_retry_seconds: float = 2.0
    """Before a grade is stored again that an unreachable or full database did not take."""

    queue_penalty_seconds: int = 10
    """Added to a ticket's rank if its student already has one waiting, and again if one was put back after a look."""

    look_seconds: float = 1.0
    """What a first run may take. Right code takes a fiftieth of that; an endless loop must not hold up a class."""

    put_back_seconds: int = 600
    """Added to the rank of a ticket whose first run took longer."""

    look_again_seconds: float = 1.0
    """Between two looks of an idle worker, for tickets that became due or that another process left."""

    inspect_again_seconds: float = 2.0
    """Between two inspections of a sandbox that cannot run code."""

    wait_look_seconds: float = 2.0
    """Between two looks of a request that waits for a grade. A signal may be lost; a waiting class must not poll."""

    follow_look_seconds: float = 1.0
    """Between two looks of a request that follows a place in the queue; a grade is sent at once."""

    heartbeat_seconds: float = 1.0
    """Between two heartbeats of a worker process."""

    dead_seconds: float = 5.0
    """Without a heartbeat for this long, a worker process counts as dead."""

    sweep_seconds: float = 1.0
    """Between two searches of a worker process for jobs that nobody runs any more."""

    restart_seconds: float = 0.5
    """Before a slot whose connection broke is started anew."""

    pool_seconds: float = 10.0
    """How long a slot waits for an unreachable database with its report on a job."""

    listen_seconds: float = 1.0
    """Between two looks of the listener at whether to stop."""

    reconnect_seconds: float = 0.5
    """Before the listener connects again to an unreachable database."""

    @property
    def due_seconds_max(self) -> float:
        """No ticket is due later from now than this, unless the clock was put back."""
        return 2 * max(self.lease_seconds, self.retry_seconds * TRIES_MAX)
