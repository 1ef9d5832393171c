"""Every interval that the queue, its workers and the requests that wait for them keep."""

from __future__ import annotations

from dataclasses import dataclass, field

from server.queue.queries import TRIES_MAX


@dataclass(frozen=True)
class TrainingPace:
    """How training runs are cut into chunks, and how long things may take, in seconds."""

    chunk_seconds: float = 1.25
    """What a chunk is to take. Students' answers wait for it at most; its start and end cost some hundredths."""

    first_steps: int = 16
    """The steps of a run's first chunk: nobody knows its pace yet."""

    steps_max: int = 4096
    """The steps of a chunk at most."""

    growth: int = 4
    """How many times as long as the last one a chunk may be."""

    lease_seconds: float = 20.0
    """A chunk that was not stored for this long is taken again. The limit of its run is less, with what is measured."""

    duty_seconds: float = 90.0
    """The same of a replay, and of the losses at the end, which are done at low priority."""

    retry_seconds: float = 2.0
    """Before a lost chunk is tried again, multiplied by the number of the try."""

    free_seconds: float = 20.0
    """What a run may take in the sandbox before anybody asks how slow its code is."""

    slowness_max: float = 20.0
    """How many times as long as with the lecture's backward pass the steps of a run may take."""

    look_seconds: float = 0.5
    """Between two looks for something to replay while a run goes on."""

    idle_seconds: float = 10.0
    """Between two looks for a run that another process left, while none goes on."""

    sample: int = 8
    """Of a run that is not ranked, the first of so many chunks is replayed."""

    def allowed_seconds(self, steps: int, lecture_seconds: float) -> float:
        """Return what so many steps may take in the sandbox, if the lecture's take so many seconds each."""
        return self.free_seconds + self.slowness_max * lecture_seconds * steps

    def next_steps(self, steps: int, seconds: float, batch: int) -> int:
        """Return how many steps the next chunk has, if some took so many seconds."""
        wanted = int(steps * self.chunk_seconds / max(seconds, 1e-3))
        return max(1, min(wanted, self.growth * steps, self.steps_max, EXAMPLES_MAX // batch))


EXAMPLES_MAX = 2**20  # of a chunk: 32 MiB of contexts and targets


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

    training: TrainingPace = field(default_factory=TrainingPace)

    @property
    def due_seconds_max(self) -> float:
        """No ticket is due later from now than this, unless the clock was put back."""
        return 2 * max(self.lease_seconds, self.retry_seconds * TRIES_MAX)
