"""My courses."""

from __future__ import annotations

from fastapi import Response

from server.courses import courses
from server.pages.page import ThePage
from server.pages.route import page_router
from server.pages.session import OptionalVisitor, TheVisitor

router = page_router()


@router.get("/")
def start(page: ThePage, visitor: OptionalVisitor) -> Response:
    """Lead to the visitor's courses, or to where one signs in."""
    return page.go("/courses" if visitor else "/sign-in")


@router.get("/courses")
def show_courses(page: ThePage, visitor: TheVisitor) -> Response:
    """Show the courses of whoever looks, with what is due."""
    with visitor.reading() as signed_in:
        seats = courses.seats_of(signed_in.session, signed_in.account_id)
        return page.render("account/courses.html", seats=seats)
