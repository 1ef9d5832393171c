"""All pages, and the files that they load."""

from __future__ import annotations

import asyncio

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from server.pages import assets
from server.pages.account import account, joining, signing
from server.pages.account import courses as my_courses
from server.pages.route import show_refusal
from server.pages.static_files import StaticFiles
from server.pages.study import history, submission, workbench
from server.pages.teach import class_page, hurts_page, lecture_page, student_page

ROOMS = (
    signing,
    joining,
    account,
    my_courses,
    workbench,
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
    app.state.reading_turn = asyncio.Semaphore(1)
    for room in ROOMS:
        app.include_router(room.router)
    app.mount(assets.PREFIX, StaticFiles(), name="static")
    app.add_exception_handler(HTTPException, show_refusal)
