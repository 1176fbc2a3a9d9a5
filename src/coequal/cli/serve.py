"""The command that shows a run, or a folder of runs, in a browser while it goes on."""

import importlib.util
import os
import signal
import webbrowser
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from coequal.cli.exit_codes import ExitCode
from coequal.cli.options import Json, short_path
from coequal.cli.printing import log_line, print_json, say

if TYPE_CHECKING:
    from coequal.serve.server import Listening

EXTRA = ("starlette", "uvicorn")


def serve(
    folder: Annotated[
        Path,
        typer.Argument(
            help="Folder of a run, its pack, or a folder that holds many runs.", show_default=False
        ),
    ],
    port: Annotated[
        int | None,
        typer.Option(
            min=0, max=65535, help="Port. Default: 8765, or the next free one; 0: any free port."
        ),
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; visitors from other machines need a token.")
    ] = "127.0.0.1",
    token: Annotated[
        bool,
        typer.Option(
            "--token",
            help=("Require a token on this machine, too, because other users can reach its ports."),
        ),
    ] = False,
    open_browser: Annotated[
        bool, typer.Option("--open", help="Open the page in a browser.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show runs in a browser while they go on.

    The page is that of `coequal report`, and it follows the results. Nothing is written to the
    runs.

    Ctrl-C ends it.
    """
    _refuse_without_extra()
    from coequal.runner.interrupt import Interrupted
    from coequal.serve.server import application, listen, new_token
    from coequal.serve.server import serve as answer
    from coequal.serve.site import Site

    def terminate(number: int, frame: FrameType | None) -> None:
        raise Interrupted(number)  # so that what was rendered is deleted

    before = signal.signal(signal.SIGTERM, terminate)
    try:
        with closing(Site(folder.resolve())) as site, listen(host, port) as listening:
            secret = None if listening.loopback and not token else new_token()
            app = application(site, loopback=listening.loopback, token=secret, port=listening.port)

            def started() -> None:
                _say(folder, listening, secret, as_json)
                if open_browser:
                    webbrowser.open(listening.url(secret))

            answer(app, listening, started)
    except KeyboardInterrupt as stopped:
        log_line("stopped")
        code = stopped.code if isinstance(stopped, Interrupted) else ExitCode.INTERRUPTED
        raise typer.Exit(code) from None
    finally:
        signal.signal(signal.SIGTERM, before)


def _refuse_without_extra() -> None:
    """Refuse where the packages that answer a browser are missing.

    Raises:
        ValueError: they are; the message says what would do.
    """
    missing = [name for name in EXTRA if importlib.util.find_spec(name) is None]
    if missing:
        raise ValueError(
            f"`coequal serve` needs {' and '.join(missing)}, which "
            f"{'are' if len(missing) > 1 else 'is'} not installed: pip install 'coequal[serve]'"
        )


def _say(folder: Path, listening: "Listening", token: str | None, as_json: bool) -> None:
    """Print the address, and how to reach it from another machine."""
    url = listening.url(token)
    if as_json:
        values = {"url": url, "host": listening.host, "port": listening.port, "token": token}
        print_json(values, indent=None)  # one line, since the output does not end here
    else:
        say(f"{short_path(folder)}: {url}")
    if listening.loopback and "SSH_CONNECTION" in os.environ:
        port = listening.port
        log_line(
            f"To open it from your own machine: ssh -N -L {port}:127.0.0.1:{port} "
            "THIS_MACHINE, then open the address there."
        )
    log_line("Press Ctrl-C to stop.")
