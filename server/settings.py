"""Settings, read from ``DOJO_…`` variables; secrets also from files."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from functools import cached_property
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticUndefined
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from server.machine import CHILDREN_MAX, PROCESSES_MAX, Machine

LogFormat = Literal["console", "json"]

USUAL_PASSWORDS = frozenset(
    {"dojo", "postgres", "password", "passwd", "secret", "changeme", "admin", "example", "test"}
)
SECRET_CHARACTERS_MIN = 8  # different ones: 32 random hexadecimal digits have fewer once in 20,000,000 times
NO_DEFAULT = "default_factory_not_called"  # pydantic's, where a default depends on a setting that cannot be used
DATABASE_FILE = "dojo.db"
DATABASE_KINDS = frozenset({"sqlite", "postgresql", "postgres"})
SECRET_FILE = "secret"


class SettingsError(RuntimeError):
    """A setting cannot be used. The message says what to change."""


class Settings(BaseSettings):
    """What an operator may choose.

    ``DOJO_DATABASE_URL_FILE`` and ``DOJO_SECRET_FILE`` name files that hold the value, such as container secrets.
    """

    model_config = SettingsConfigDict(env_prefix="DOJO_", use_attribute_docstrings=True)

    data: Path = Path("var")
    """The folder of the SQLite database and the secret."""

    database_url: SecretStr | None = None
    """``postgresql://…``; by default an SQLite database in the data folder."""

    secret: SecretStr | None = None
    """The secret from which the seeds of instances are derived; by default the one in the data folder."""

    host: str = "127.0.0.1"
    """The address to listen on."""

    port: int = Field(default=8000, ge=0, le=65535)
    """The port to listen on; 0 means any free one."""

    dispatch: Literal["embedded", "procrastinate"] = "embedded"
    """The engine that runs code: this server, or ``python -m server worker`` processes, which need PostgreSQL."""

    children: int = Field(default_factory=lambda: Machine().children(), ge=1, le=CHILDREN_MAX)
    """How many runs of students' code this server, or this worker, has at the same time; by default as many as the
    processors and the memory of its container allow."""

    processes: int = Field(
        default_factory=lambda chosen: Machine().processes(chosen.get("children", 1) if _is_embedded(chosen) else 0),
        ge=1,
        le=PROCESSES_MAX,
    )
    """How many processes a server has on its port; by default as many as there are processors, and room in the memory
    beside the runs. With the embedded engine at most as many as ``DOJO_CHILDREN``."""

    worker_port: int | None = Field(default=None, ge=0, le=65535)
    """The port on which a worker answers ``/readyz`` and ``/metrics``, to anybody who reaches it; by default none."""

    connections: int = Field(default=1000, ge=8, le=50_000)
    """How many connections a server has at the same time. Strangers have half of them."""

    proxies: str = ""
    """The addresses or networks of the proxies in front of this server, with commas. Only they may say, in
    ``X-Forwarded-…``, whose request they pass on."""

    zygote: Path | None = None
    """The unix socket of a zygote that runs elsewhere, such as in a container without a network. By default each
    process that runs code starts its own."""

    submissions_per_minute: int = Field(default=60, ge=0)
    """How often an account may hand in within a minute; 0 means no limit."""

    checks_per_minute: int = Field(default=240, ge=0, le=10_000)
    """How often an account may check live within a minute; 0 means no limit."""

    training_steps: int = Field(default=20_000, ge=1)
    """How many steps a training run has if its student asks for no other number."""

    training_steps_max: int = Field(default=200_000, ge=1)
    """How many steps a training run may have."""

    training_examples: int = Field(default=6_400_000, ge=1)
    """How many examples, steps times minibatch, a training run of the ranking may see."""

    quota_mib: int = Field(default=256, ge=0)
    """How many MiB of large files of tensors, over 64 KiB each, are kept of a student in a course; 0 means no limit."""

    log: LogFormat = "console"
    """How events are written to standard error: for people, or as JSON, one object a line."""

    @classmethod
    def described(cls) -> list[tuple[str, str, str]]:
        """Return variable, default and meaning of each setting. An empty default is told by the meaning."""
        rows = []
        for name, field in cls.model_fields.items():
            default = "" if field.default is None or field.default is PydanticUndefined else str(field.default)
            meaning = " ".join((field.description or "").split()).replace("``", "`")
            also = f" Also `DOJO_{name.upper()}_FILE`." if field.annotation == SecretStr | None else ""
            rows.append((f"DOJO_{name.upper()}", default, meaning + also))
        return rows

    @field_validator("database_url")
    @classmethod
    def _is_of_a_known_kind(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        try:
            kind = make_url(url.get_secret_value()).get_backend_name()
        except (ArgumentError, ValueError):  # the latter for a port that is no number
            kind = ""
        if kind not in DATABASE_KINDS:
            raise ValueError("it is no postgresql://USER:PASSWORD@HOST:PORT/NAME")
        return url

    @field_validator("processes")
    @classmethod
    def _each_has_a_run(cls, processes: int, info: ValidationInfo) -> int:
        return min(processes, info.data.get("children", processes)) if _is_embedded(info.data) else processes

    @field_validator("proxies")
    @classmethod
    def _are_addresses(cls, proxies: str) -> str:
        for proxy in filter(None, (each.strip() for each in proxies.split(","))):
            try:
                ip_network(proxy)
            except ValueError:
                raise ValueError(f"{proxy!r} is no address and no network; write 10.0.0.2 or 10.0.0.0/24") from None
        return proxies

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: arguments first, then variables, then the files that ``…_FILE`` variables name."""
        return init_settings, env_settings, _SecretsByFile(settings_cls)

    @classmethod
    def read(cls) -> Settings:
        """Return the settings of the environment.

        :raises SettingsError: one cannot be used
        """
        try:
            return cls()
        except ValidationError as error:
            mistakes = [each for each in error.errors(include_input=False) if each["type"] != NO_DEFAULT]
            raise SettingsError("\n".join(map(_mistake, mistakes))) from None

    @property
    def trusted_proxies(self) -> list[str]:
        """The addresses or networks of the proxies in front of this server."""
        return [proxy for each in self.proxies.split(",") if (proxy := each.strip())]

    @property
    def url(self) -> str:
        """The address of the database. It holds a password: never print it."""
        if self.database_url is None:
            return f"sqlite:///{(self.data / DATABASE_FILE).absolute()}"
        return self.database_url.get_secret_value()

    @property
    def postgresql_url(self) -> str:
        """The address of the database, which must be PostgreSQL.

        :raises SettingsError: it is not
        """
        if not self.url.startswith("postgres"):
            raise SettingsError(
                "DOJO_DISPATCH=procrastinate needs PostgreSQL. Set DOJO_DATABASE_URL to postgresql://…, or unset "
                "DOJO_DISPATCH."
            )
        return self.url

    @cached_property
    def key(self) -> bytes:
        """The server's secret.

        :raises SettingsError: there is none, or it is too short
        """
        secret = self.secret.get_secret_value() if self.secret else _stored_secret(self.data / SECRET_FILE)
        if len(secret) < 32:
            raise SettingsError("The secret has fewer than 32 characters. Make one with: openssl rand -hex 32")
        return secret.encode()

    def refuse_guessable_secrets(self, host: str) -> None:
        """Allow no secret that others can guess, unless only this machine can reach the server.

        :param host: the address to listen on
        :raises SettingsError: the server's secret repeats itself, or the database's password is a usual one
        """
        if _is_loopback(host):
            return
        secret = self.key.decode()
        if len(set(secret)) < SECRET_CHARACTERS_MIN or secret in (2 * secret)[1:-1]:
            raise SettingsError(
                f"The secret can be guessed, and {host} can be reached from elsewhere. Make another one with: openssl "
                "rand -hex 32. Or listen on 127.0.0.1."
            )
        database = make_url(self.url)
        if database.host is None or _is_loopback(database.host) or database.host.startswith("/"):
            return
        if str(database.password or "").lower() in {"", str(database.username), *USUAL_PASSWORDS}:
            raise SettingsError(
                f"The database's password can be guessed, and {host} can be reached from elsewhere. Give its user "
                "another one, and write it into DOJO_DATABASE_URL. Or listen on 127.0.0.1."
            )

    def make_secret(self) -> None:
        """Put a fresh secret into the data folder, unless there is one or a setting gives it.

        :raises SettingsError: the folder cannot be written
        """
        try:
            self.data.mkdir(parents=True, exist_ok=True)
            if self.secret is None and not (self.data / SECRET_FILE).exists():
                write_private(self.data / SECRET_FILE, secrets.token_hex(32))
        except OSError as error:
            raise SettingsError(
                f"The folder {self.data} cannot be written: {error.strerror}. Give it to the server's user, or name "
                "another one in DOJO_DATA."
            ) from None


def _is_embedded(chosen: Mapping[str, Any]) -> bool:
    return chosen.get("dispatch") == "embedded"


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:  # a name
        return host == "localhost"


def _mistake(error: ErrorDetails) -> str:
    """Say what is wrong with a setting, without its value: it may be a secret."""
    name = "_".join(str(part) for part in error["loc"])
    return f"DOJO_{name.upper()} cannot be used: {error['msg']}. Correct it, or unset it for the default."


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, from its first moment on.

    :raises FileExistsError: there is such a file
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")


def _stored_secret(path: Path) -> str:
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise SettingsError(f"There is no secret in {path}. Make one with: python -m server init") from None
    except OSError as error:
        raise SettingsError(
            f"The secret in {path} cannot be read: {error.strerror}. Give the file to the server's user."
        ) from None


class _SecretsByFile(PydanticBaseSettingsSource):
    """Reads ``DOJO_X_FILE`` for every setting ``x`` that is a secret."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """Return the stripped content of the file, or None if no variable names one."""
        name = os.environ.get(f"DOJO_{field_name.upper()}_FILE")
        if name is None or field.annotation != SecretStr | None:
            return None, field_name, False
        try:
            return Path(name).read_text().strip(), field_name, False
        except OSError as error:
            raise SettingsError(
                f"DOJO_{field_name.upper()}_FILE names {name}, which cannot be read: {error.strerror}. "
                "Name a file that the server's user may read."
            ) from None

    def __call__(self) -> dict[str, Any]:
        """Return all secrets that are kept in files."""
        fields = self.settings_cls.model_fields.items()
        values = {name: self.get_field_value(field, name)[0] for name, field in fields}
        return {name: value for name, value in values.items() if value is not None}
