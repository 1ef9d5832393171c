"""Services: everything a request may need, built once from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects import postgresql, sqlite

from exercises import names
from exercises.catalog import CATALOG
from server import models, schema
from server.bell import Bell
from server.db import Database
from server.dispatch import Dispatcher
from server.dispatch.embedded import EmbeddedDispatcher
from server.dispatch.jobs import JobDispatcher
from server.dispatch.turn import Turns
from server.grading import Grading
from server.instances import Instances
from server.settings import Settings
from server.timing import Timing
from server.workshop import Workshop


@dataclass(frozen=True)
class Services:
    """What there is one of in a server."""

    settings: Settings
    timing: Timing
    database: Database
    instances: Instances
    workshop: Workshop
    grading: Grading
    bell: Bell
    dispatcher: Dispatcher

    @classmethod
    def build(cls, settings: Settings, workshop: Workshop, timing: Timing) -> Services:
        """Put everything together; nothing is opened or started yet."""
        database = Database(settings.url)
        instances = Instances(database, settings.key, names.load(settings.names_file))
        grading = Grading(database, instances, workshop)
        bell = Bell()
        dispatcher: Dispatcher
        if settings.dispatch == "procrastinate":
            dispatcher = JobDispatcher(database, settings.postgresql_url, bell, timing)
        else:
            turns = Turns(database, grading, workshop, bell.ring, timing)
            dispatcher = EmbeddedDispatcher(database, workshop, turns, settings.children, timing)
        return cls(settings, timing, database, instances, workshop, grading, bell, dispatcher)

    def start(self) -> None:
        """Bring the database up to date, then begin to grade. The sandbox is started by the first worker, and
        what is handed in meanwhile waits for it."""
        self.prepare()
        self.dispatcher.start()

    def prepare(self) -> None:
        """Bring the database up to date."""
        schema.upgrade(self.settings.url)
        self._register_exercises()

    def stop(self) -> None:
        """Finish what is running, and let go of everything."""
        self.dispatcher.stop()
        self.workshop.close()
        self.database.close()

    def _register_exercises(self) -> None:
        """Note the revisions in the catalogue, so that submissions and instances can refer to them."""
        with self.database.writing() as session:
            table = models.Table.metadata.tables["exercise_revision"]
            insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
            known = [
                {"slug": each.slug, "revision": each.revision, "created_at": models.now()} for each in CATALOG.values()
            ]
            # Servers and workers start together, on one database.
            session.connection().execute(insert(table).on_conflict_do_nothing(), known)
