"""The record of a submission's newest grade, signed with a key of the server's secret."""

from __future__ import annotations

from dataclasses import dataclass

from sqlmodel import Session

from grader.records.record import Record
from grader.records.signature import public_key
from server.http.problems import Conflict
from server.submissions.queries import NEWEST_GRADE, ROWS_OF_GRADE
from server.submissions.schemas import ComparisonBody
from server.submissions.source import require_kept
from server.tables import InstanceRow, SubmissionRow


@dataclass(frozen=True)
class RecordSigner:
    """Writes records of grades in the name of this server."""

    secret: bytes

    @property
    def key(self) -> str:
        """The public key, in hexadecimal: what `python -m grader replay --key` takes."""
        return public_key(self.secret)

    def record(self, session: Session, submission: SubmissionRow) -> bytes:
        """Return the record of a submission's newest grade.

        :raises Conflict: it has no grade yet
        :raises Emptied: what was handed in is kept no longer
        """
        found = session.exec(NEWEST_GRADE.statement, params={"submission_id": submission.id}).first()
        if found is None:
            raise Conflict(f"Submission {submission.id} has no grade yet. Ask again once it has.")
        grade, _ = found
        require_kept(submission)
        instance = session.get_one(InstanceRow, grade.instance_id)
        rows = session.connection().execute(ROWS_OF_GRADE.statement, {"grade_id": grade.id}).mappings().all()
        return Record(
            submission=submission.id,
            exercise=submission.exercise,
            revision=grade.revision,
            dataset=instance.dataset,
            instance_kind=instance.kind,
            state=instance.state,
            kind=submission.kind.value,
            filename=submission.filename,
            body=submission.body,
            environment=grade.environment,
            run_status=grade.run_status,
            rows=tuple({name: row[name] for name in ComparisonBody.model_fields} for row in rows),
        ).signed(self.secret)
