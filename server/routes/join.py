"""Coming in: an account for a join code, and who am I."""

from __future__ import annotations

from fastapi import APIRouter
from sqlmodel import select

from server import courses, schemas
from server.deps import TheCaller, TheServices
from server.models import Course, Enrolment, Role
from server.problems import documented

router = APIRouter(tags=["account"])


@router.post("/join", status_code=201, responses=documented(404, 422))
def join(body: schemas.Join, services: TheServices) -> schemas.Joined:
    """Make a student account in the course of a join code. The token is shown this once."""
    with services.database.writing() as session:
        account = courses.join(session, body.code, body.name)
    return schemas.Joined(
        token=account.token,
        student=schemas.Student.model_validate(account.student.model_dump()),
        course=schemas.CourseName.model_validate(account.course.model_dump()),
    )


@router.get("/me", responses=documented(401))
def me(caller: TheCaller) -> schemas.Me:
    """The account that the token belongs to, and its courses."""
    with caller.reading() as visit:
        seats = visit.session.exec(
            select(Course, Enrolment.role)
            .join(Enrolment)
            .where(Enrolment.student_id == visit.student_id)
            .order_by(Course.slug)
        ).all()
    return schemas.Me(
        id=visit.student_id,
        name=visit.name,
        courses=[schemas.MyCourse(slug=course.slug, title=course.title, role=Role(role)) for course, role in seats],
    )
