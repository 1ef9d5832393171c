"""What a scrape of ``/metrics`` looks up: queue, database and waiting requests as they are at that moment."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.pool import QueuePool

from server.database.engine import Database
from server.database.outage import DatabaseUnavailable
from server.database.table import now
from server.queue import tickets
from server.queue.signals import Signals
from server.tables import TicketState


class StateCollector(Collector):
    """Reads the state of a process."""

    def __init__(self, database: Database, signals: Signals) -> None:
        self._database = database
        self._signals = signals

    def describe(self) -> Iterator[Metric]:
        """Return nothing: registering must not touch the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of this moment."""
        waiting = GaugeMetricFamily("dojo_waiting_requests", "Requests and event streams that wait for a grade.")
        waiting.add_metric([], self._signals.waiting)
        yield waiting
        pool = self._database.engine.pool
        if isinstance(pool, QueuePool):
            connections = GaugeMetricFamily("dojo_database_connections", "Connections of this process that are in use.")
            connections.add_metric([], pool.checkedout())
            yield connections


class QueueCollector(Collector):
    """Reads the state of the queue. A database that cannot be reached is a value, not an error."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def describe(self) -> Iterator[Metric]:
        """Return nothing: registering must not touch the database."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Yield the gauges of this moment."""
        is_up = GaugeMetricFamily("dojo_database_up", "1 if the database answers.")
        try:
            with self._database.reading() as session:
                counts, oldest = tickets.counts(session), tickets.oldest(session)
        except DatabaseUnavailable:
            is_up.add_metric([], 0)
            yield is_up
            return
        is_up.add_metric([], 1)
        yield is_up
        depth = GaugeMetricFamily("dojo_queue_tickets", "Submissions in the queue, by state.", labels=["state"])
        for state in TicketState:
            depth.add_metric([state.value], counts.get(state, 0))
        yield depth
        age = GaugeMetricFamily(
            "dojo_queue_oldest_seconds", "How long the oldest submission has waited; 0 if none does."
        )
        age.add_metric([], 0.0 if oldest is None else (now() - oldest).total_seconds())
        yield age
