"""The machine of a server: whether it can do its work, what grades there, and the doctor."""

from __future__ import annotations

import platform
from dataclasses import dataclass

import torch
from fastapi import Response

from grader import numerics
from grader.sandbox import SandboxFault
from grader.sandbox.trusted.doctor import Report
from server.grading.code_runner import TheCodeRunner
from server.http.state import TheDatabase
from server.machine import MIB, Machine
from server.operations import health
from server.operations.probe import TheWriteProbe
from server.operations.schemas import HealthBody
from server.pages.admin.access import TheAdmin
from server.pages.forms import TheForm
from server.pages.page import ThePage
from server.pages.route import page_router
from server.queue.dispatcher import TheDispatcher

router = page_router()


@dataclass(frozen=True)
class MachineFacts:
    """What the server runs on."""

    processors: int
    memory_mib: int
    children: int
    python: str
    torch: str
    environment: str


def read_facts(machine: Machine | None = None) -> MachineFacts:
    """Return what a machine is."""
    found = machine or Machine()
    return MachineFacts(
        found.processors(),
        found.memory_bytes() // MIB,
        found.children(),
        platform.python_version(),
        torch.__version__,
        numerics.environment(),
    )


@router.get("/admin/machine")
def show_machine(
    page: ThePage, admin: TheAdmin, database: TheDatabase, probe: TheWriteProbe, dispatcher: TheDispatcher
) -> Response:
    """Show whether the server can do its work."""
    with admin.reading():
        pass  # the probe opens transactions of its own
    return _render(page, health.check(database, probe, dispatcher.health(), dispatcher.threads()))


@router.post("/admin/machine/examine")
def examine(
    page: ThePage,
    admin: TheAdmin,
    form: TheForm,
    database: TheDatabase,
    probe: TheWriteProbe,
    dispatcher: TheDispatcher,
    code_runner: TheCodeRunner,
) -> Response:
    """Let the doctor try every lock of the sandbox, now."""
    with admin.reading():
        pass
    body = health.check(database, probe, dispatcher.health(), dispatcher.threads())
    try:
        return _render(page, body, code_runner.examine_now())
    except SandboxFault as fault:
        return _render(page, body, fault=str(fault) if str(fault) not in ("", "None") else "it runs no code")


def _render(page: ThePage, body: HealthBody, report: Report | None = None, fault: str = "") -> Response:
    return page.render("admin/machine.html", health=body, facts=read_facts(), report=report, fault=fault)
