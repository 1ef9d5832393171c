"""Which server, which course, and with which token: environment, profile and folder brought together."""

from __future__ import annotations

from dataclasses import dataclass

from dojo.api import Server
from dojo.config import JOIN, Config, Profile, override
from dojo.errors import DojoError, NotJoined
from dojo.exchange import Network
from dojo.records import get
from dojo.workspace import Workspace


@dataclass(frozen=True)
class Connection:
    """A server and the course on it. ``student`` is who the profile says the student is, where there is
    one."""

    server: Server
    course: str
    student: str | None


def connect(
    config: Config,
    *,
    profile: str | None = None,
    workspace: Workspace | None = None,
    network: Network | None = None,
) -> Connection:
    """DOJO_SERVER first, then a profile that was named, then the folder's own server, then the profile in
    use.

    A folder may name any server at all, so DOJO_TOKEN goes only to DOJO_SERVER or to a profile's server, and
    a profile's token only to the server that gave it. Raises NotJoined."""
    named = override(config.environ)
    if named:
        found = config.profile_of(named, *((workspace.course, workspace.student) if workspace else ()))
        token = config.environ.get("DOJO_TOKEN") or (config.token(found) if found else None)
        address = named
    else:
        found = _profile(config, profile, workspace)
        token = config.environ.get("DOJO_TOKEN") if found == config.profile(profile) else None
        token = token or config.token(found)
        address = found.server
    if not token:
        raise NotJoined(f"There is no token for {address} on this machine.", f"Type: dojo login {address}")
    server = Server(address, token, network)
    course = config.environ.get("DOJO_COURSE") or (workspace and workspace.course) or (found and found.course)
    return Connection(server, course or _only_course(server), found.student_id if found else None)


def _profile(config: Config, name: str | None, workspace: Workspace | None) -> Profile:
    chosen = config.profile(name)
    if workspace is None:
        if chosen is None:
            raise NotJoined("You have not joined a course on this machine yet.", f"Type: {JOIN}")
        return chosen
    if name and chosen and chosen.server != workspace.server:
        raise DojoError(
            f"{workspace.folder} came from {workspace.server}; the profile {name} is for {chosen.server}.",
            "Leave --profile out, or pull into another folder: dojo pull EXERCISE --to FOLDER",
        )
    found = chosen if name else config.profile_of(workspace.server, workspace.course, workspace.student)
    if found is None:
        raise NotJoined(
            f"{workspace.folder} came from {workspace.server}, which you have not joined on this machine.",
            f"Type: dojo join {workspace.server} CODE --name NAME",
        )
    return found


def _only_course(server: Server) -> str:
    """The student's course, where there is exactly one."""
    courses = [get(each, "slug", str) for each in get(server.me(), "courses", list)]
    if len(courses) != 1:
        raise NotJoined(
            f"You are in {len(courses)} courses on {server.address}: {', '.join(courses) or 'none'}.",
            "Name one: DOJO_COURSE=course dojo …",
        )
    return courses[0]
