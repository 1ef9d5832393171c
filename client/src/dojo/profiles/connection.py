"""Which server, which course and which token: from the environment, a profile and a folder."""

from __future__ import annotations

from dojo.api.http import Network
from dojo.api.members import required
from dojo.api.server import Connection, Server
from dojo.errors import DojoError, NotJoined
from dojo.files.workspace import Workspace
from dojo.profiles.config import Config, Profile
from dojo.profiles.private_json import JOIN_COMMAND


def connect(
    config: Config,
    *,
    profile: str | None = None,
    workspace: Workspace | None = None,
    network: Network | None = None,
) -> Connection:
    """Return the connection to use.

    1. DOJO_SERVER names the server.
    2. Else the profile that was named does.
    3. Else the folder does.
    4. Else the profile in use does.

    A folder may name any server, so tokens are bound: DOJO_TOKEN goes to DOJO_SERVER or to the server of the profile
    in use, and a profile's token to the server that gave it.

    :raises NotJoined: there is no server, no course or no token
    """
    override = config.server_override()
    if override:
        chosen = config.best_profile(override, *((workspace.course, workspace.student) if workspace else ()))
        token = config.environ.get("DOJO_TOKEN") or (config.token(chosen) if chosen else None)
        address = override
    else:
        chosen = _profile(config, profile, workspace)
        token = config.environ.get("DOJO_TOKEN") if chosen == config.profile(profile) else None
        token = token or config.token(chosen)
        address = chosen.server
    if not token:
        raise NotJoined(
            f"There is no token for {address} on this machine.",
            f"Type dojo pair where you are signed in, then here: dojo login {address} --code CODE",
        )
    server = Server(address, token, network)
    course = config.environ.get("DOJO_COURSE") or (workspace and workspace.course) or (chosen and chosen.course)
    return Connection(server, course or _only_course(server), chosen.student_id if chosen else None)


def _profile(config: Config, name: str | None, workspace: Workspace | None) -> Profile:
    current = config.profile(name)
    if workspace is None:
        if current is None:
            raise NotJoined("You have not joined a course on this machine yet.", f"Type: {JOIN_COMMAND}")
        return current
    if name and current and current.server != workspace.server:
        raise DojoError(
            f"{workspace.folder} came from {workspace.server}; the profile {name} is for {current.server}.",
            "Leave --profile out, or pull into another folder: dojo pull EXERCISE --to FOLDER",
        )
    profile = current if name else config.best_profile(workspace.server, workspace.course, workspace.student)
    if profile is None:
        raise NotJoined(
            f"{workspace.folder} came from {workspace.server}, which you have not joined on this machine.",
            f"Type: dojo join {workspace.server} CODE --name NAME",
        )
    return profile


def _only_course(server: Server) -> str:
    """Return the student's only course.

    :raises NotJoined: the student is in no course, or in several
    """
    courses = [required(course, "slug", str) for course in required(server.me(), "courses", list)]
    if len(courses) != 1:
        raise NotJoined(
            f"You are in {len(courses)} courses on {server.address}: {', '.join(courses) or 'none'}.",
            "Name one: DOJO_COURSE=course dojo …",
        )
    return courses[0]
