"""The tables, a file for each word of the domain. They hold no logic.

``metadata`` describes all of them; migrations are compared with it.
"""

from server.database.table import Table
from server.tables.account import AccountRow, TokenRow
from server.tables.assignment import Accepts, AssignmentRow, ExtensionRow, Feedback, LatePolicy, Numbers
from server.tables.audit import AuditRow
from server.tables.course import CourseRow, InvitationRow, JoinCodeRow, Role, SeatRow
from server.tables.draft import DraftRow
from server.tables.feedback import CommentRow, OverrideRow
from server.tables.grade import ComparisonRow, GradeRow, RegradeRow
from server.tables.installation import InstallationRow
from server.tables.instance import ExerciseRevisionRow, InstanceRow
from server.tables.pairing import PairingCodeRow
from server.tables.progress import ProgressRow
from server.tables.submission import AnswerKind, SubmissionRow
from server.tables.ticket import TicketRow, TicketState
from server.tables.training import Check, RunState, TrainingChunkRow, TrainingRunRow

metadata = Table.metadata

__all__ = [
    "Accepts",
    "AccountRow",
    "AnswerKind",
    "AssignmentRow",
    "AuditRow",
    "Check",
    "CommentRow",
    "ComparisonRow",
    "CourseRow",
    "DraftRow",
    "ExerciseRevisionRow",
    "ExtensionRow",
    "Feedback",
    "GradeRow",
    "InstallationRow",
    "InstanceRow",
    "InvitationRow",
    "JoinCodeRow",
    "LatePolicy",
    "Numbers",
    "OverrideRow",
    "PairingCodeRow",
    "ProgressRow",
    "RegradeRow",
    "Role",
    "RunState",
    "SeatRow",
    "SubmissionRow",
    "TicketRow",
    "TicketState",
    "TokenRow",
    "TrainingChunkRow",
    "TrainingRunRow",
    "metadata",
]
