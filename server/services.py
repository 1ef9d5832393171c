"""Services: everything a request may need, built once from the settings."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy.dialects import postgresql, sqlite

from exercises import registry
from server import models, schema
from server.bell import Bell
from server.db import Database
from server.dispatch import Dispatcher
from server.dispatch.embedded import EmbeddedDispatcher
from server.dispatch.jobs import JobDispatcher
from server.grading import Grading
from server.instances import Instances
from server.settings import Settings
from server.workshop import Workshop


@dataclass(frozen=True)
class Services:
    """What there is one of in a server."""

    settings: Settings
    database: Database
    instances: Instances
    workshop: Workshop
    grading: Grading
    bell: Bell
    dispatcher: Dispatcher

    @classmethod
    def build(cls, settings: Settings, workshop: Workshop) -> Services:
        """Put everything together; nothing is opened or started yet.

        :raises PackError: a pack of exercises or its data cannot be used
        """
        registry.prepare()
        database = Database(settings.url)
        instances = Instances(database, settings.key)
        grading = Grading(database, instances, workshop)
        bell = Bell()
        dispatcher: Dispatcher
        if settings.dispatch == "procrastinate":
            dispatcher = JobDispatcher(database, settings.postgresql_url, bell)
        else:
            dispatcher = EmbeddedDispatcher(database, grading, workshop, bell, settings.children)
        return cls(settings, database, instances, workshop, grading, bell, dispatcher)

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
        """Note the revisions of the installed exercises, so that submissions and instances can refer to them."""
        with self.database.writing() as session:
            table = models.Table.metadata.tables["exercise_revision"]
            insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
            known = [
                {"slug": exercise.slug, "revision": exercise.revision, "created_at": models.now()}
                for exercise in registry.exercises().values()
            ]
            # Servers and workers start together, on one database.
            session.connection().execute(insert(table).on_conflict_do_nothing(), known)
