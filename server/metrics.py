"""What an operator watches, for Prometheus: counted where it happens, sent by ``/metrics``.

Every application has a registry of its own, so that importing this module makes nothing.
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, PlatformCollector, ProcessCollector

# From a comparison of tensors (a millisecond) to a run that meets its time limit.
SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """The counters of a process, in ``registry``. ``server_registry`` is for what all processes of a server share.

    ``requests``: seconds of a request, by route and status. ``phases``: seconds of a phase of grading: ``wait``
    in the queue, ``grade`` (run and comparison), ``store``. ``runs``: graded submissions, by kind and by what became of
    the run. ``checks``: seconds of a live check, by the same, or ``no room``. ``faults``: what was ours and not the
    student's, by kind. ``chunks``: chunks of training runs, by what became of them. ``steps``: of gradient descent.
    ``replays``: replayed chunks, by whether they agreed.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.server_registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Histogram(
            "dojo_request_seconds",
            "Seconds of a request.",
            ["route", "status"],
            registry=self.registry,
            buckets=SECONDS,
        )
        self.phases = Histogram(
            "dojo_grading_seconds", "Seconds of a phase of grading.", ["phase"], registry=self.registry, buckets=SECONDS
        )
        self.runs = Counter(
            "dojo_grades",
            "Grades, by kind of answer and status of the run.",
            ["kind", "outcome"],
            registry=self.registry,
        )
        self.checks = Histogram(
            "dojo_check_seconds",
            "Seconds of a live check, from its request to its rows, by kind of answer and status of the run.",
            ["kind", "outcome"],
            registry=self.registry,
            buckets=SECONDS,
        )
        self.faults = Counter(
            "dojo_faults", "Faults of the server that cost no student an attempt.", ["kind"], registry=self.registry
        )
        self.chunks = Counter(
            "dojo_training_chunks", "Chunks of training runs, by outcome.", ["outcome"], registry=self.registry
        )
        self.steps = Counter("dojo_training_steps", "Steps of training runs that were stored.", registry=self.registry)
        self.replays = Counter(
            "dojo_training_replays",
            "Chunks that were replayed with the right gradients, by outcome.",
            ["outcome"],
            registry=self.registry,
        )
