"""The command ``pair``: a code that signs in on another machine."""

from __future__ import annotations

import click

from dojo.api.members import required
from dojo.commands.context import Context
from dojo.commands.decorators import PASSED, command


@command("pair")
@click.option("--token", "as_token", is_flag=True, help="Print a token instead, for Colab's secrets.")
def pair(context: Context, as_token: bool) -> int:
    """Print a code to sign in on another machine.

    It is for your second computer, Colab or a notebook elsewhere, and works once, within
    ten minutes. Your progress stays in one account.

    \b
    Examples:
      dojo pair
      dojo pair --token        a secret named DOJO_TOKEN, for Colab
    """
    server = context.connect().server
    code, expires_at = server.new_pairing_code()
    if as_token:
        token = required(server.pair(code), "token", str)
        if context.as_json:
            context.print_json({"server": server.address, "token": token})
            return PASSED
        context.screen.print(token)
        context.print_note("Keep it as a secret named DOJO_TOKEN: everybody who has it can hand in as you.")
        return PASSED
    if context.as_json:
        context.print_json({"server": server.address, "code": code, "expires_at": expires_at})
        return PASSED
    context.screen.print(code)
    context.screen.print("It works once, within ten minutes. Everybody who has it can hand in as you.")
    context.screen.print(f"On the other machine, type: dojo login {server.address} --code {code}")
    context.screen.print(f'In a notebook there: dojo.login("{server.address}", code="{code}")')
    return PASSED
