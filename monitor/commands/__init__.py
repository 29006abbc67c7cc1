"""What all command modules share. Each has `add(commands)`, which declares it, and `run(args)`, which does it."""

import argparse
from typing import TYPE_CHECKING

from monitor import config

if TYPE_CHECKING:
    type Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # what argparse hands out has no public name


class CommandError(Exception):
    """Why a command cannot do what it was asked, in one line for a person: printed as it is, exit code 1."""


def add_config_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config",
        metavar="F",
        help=f"the config file (left out: ${config.VARIABLE}, else ./{config.DEFAULT_NAME})",
    )


def load_config(args: argparse.Namespace) -> config.Config:
    """The config that the arguments name. Its ConfigError ends the command with exit code 2."""
    return config.load(config.find(args.config))
