"""All pages, and the files that they load."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException

from server.pages import assets
from server.pages.account import account, joining, signing
from server.pages.account import courses as my_courses
from server.pages.admin import courses as all_courses
from server.pages.admin import machine, queue
from server.pages.admin import people as accounts
from server.pages.route import show_refusal
from server.pages.static_files import StaticFiles
from server.pages.study import history, submission, training, workbench
from server.pages.study.reading_turns import ReadingTurns
from server.pages.teach import (
    assignment_form,
    assignments,
    audit,
    authoring,
    class_page,
    course_settings,
    extensions,
    gradebook,
    hurts_page,
    join_codes,
    lecture_page,
    people,
    regrade,
    roster_import,
    student_page,
)
from server.processes.shared_memory import SharedMemory

ROOMS = (
    signing,
    joining,
    account,
    my_courses,
    workbench,
    history,
    submission,
    training,
    class_page,
    hurts_page,
    lecture_page,
    student_page,
    roster_import,
    people,
    join_codes,
    assignments,
    assignment_form,
    extensions,
    regrade,
    gradebook,
    audit,
    authoring,
    course_settings,
    all_courses,
    accounts,
    queue,
    machine,
)


def install(app: FastAPI) -> None:
    """Add the pages to an application."""
    for room in ROOMS:
        app.include_router(room.router)
    app.mount(assets.PREFIX, StaticFiles(), name="static")
    app.add_exception_handler(HTTPException, show_refusal)


def attach(app: FastAPI, key: bytes, memory: SharedMemory) -> None:
    """Give pages what they ask for. ``key`` makes the numbers of their forms, ``memory`` is of all processes."""
    app.state.page_key = key
    app.state.reading_turns = ReadingTurns(memory)
