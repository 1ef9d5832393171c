"""All pages, and the files that they load."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from server.pages import assets
from server.pages.account import courses as my_courses
from server.pages.study import history, submission
from server.pages.teach import class_page, hurts_page, lecture_page, student_page

ROOMS = (
    my_courses,
    class_page,
    hurts_page,
    lecture_page,
    student_page,
    history,
    submission,
)


def install(app: FastAPI, key: bytes) -> None:
    """Add the pages to an application. ``key`` makes the numbers of their forms."""
    app.state.page_key = key
    for room in ROOMS:
        app.include_router(room.router)
    app.mount(assets.PREFIX, StaticFiles(directory=assets.STATIC), name="static")
