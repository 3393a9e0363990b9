"""``framing label``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from classifier.cli import options, reading
from classifier.cli.plain import plain

if TYPE_CHECKING:
    from classifier.labeling.ledger import Ledger
    from classifier.labeling.store import Project

#: Where the page is, unless ``--port`` says otherwise: the same on every start, so that open pages go on.
PORT = 8765


@click.command("label")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option(
    "--project",
    "path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    required=True,
    help="The project: one file of articles, labels and who decided them; made where there is none.",
)
@click.option(
    "--codebook",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="TOML file of the frames to begin with.  [default: the project's; frames are made on the page]",
)
@click.option("--coder", metavar="NAME", help="Whose page it is.  [default: the project's first coder]")
@click.option("--add-coder", "added", multiple=True, metavar="NAME", help="Give another person a page; repeatable.")
@click.option(
    "--random-share",
    type=click.FloatRange(0, 1),
    default=0.25,
    show_default=True,
    help="Of the sentences shown, drawn at random; only from these can shares and figures be estimated.",
)
@click.option(
    "--double-share",
    type=click.FloatRange(0, 1),
    default=0.1,
    show_default=True,
    help="Of the sentences, labeled by two coders.",
)
@click.option(
    "--second-look", is_flag=True, help="Show after a decision where the model disagrees, except on what is measured."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for a team.")
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 for any that is free.")
@click.option("--open", "open_", is_flag=True, help="Open the page in the browser.")
@reading.reading_options
@options.quiet_option
def command(
    sources: tuple[str, ...],
    path: Path,
    codebook: Path | None,
    coder: str | None,
    added: tuple[str, ...],
    random_share: float,
    double_share: float,
    second_look: bool,
    host: str,
    port: int,
    open_: bool,
    quiet: bool,
    **values: Any,
) -> None:
    """Label the sentences of articles on a page in the browser.

    Reads the articles into the project, in every format that score reads, starts a server on this machine alone and
    prints the address of each coder's page. Started again it goes on; articles that are there already are left out.

    \b
    Examples:
      framing label news/ --project coding.db --codebook my.toml --coder Ada --open
      framing label --project coding.db --add-coder Ben
      framing train coding.db -o my-model
    """
    import signal

    try:
        from classifier.labeling.server import listening, run
    except ImportError:
        raise click.ClickException(
            "the page needs starlette and uvicorn; install them with: pip install 'framing-classifier[label]'"
        ) from None
    from classifier.errors import InputError
    from classifier.labeling.ledger import Ledger
    from classifier.labeling.session import Session, add_coder
    from classifier.labeling.store import Project

    read = reading.read_options(values)
    if codebook is not None and not codebook.is_file():
        raise InputError(f"{codebook}: there is no such codebook; without --codebook, frames are made on the page.")
    if not sources and not path.is_file():
        raise InputError(f"{path}: there is no such project; name articles to make one of: framing label SOURCE …")
    with Project(path, write=True, create=True) as project:
        ledger = Ledger.of(project.events())
        _begin(project, ledger, codebook, quiet)
        first = coder or next(iter(ledger.tokens), "coder")
        for name in (first, *added):
            add_coder(project, ledger, name)
        if sources:
            _import(project, sources, read, quiet)
        if not project.n_sentences:
            raise InputError(f"{path}: there are no sentences to label; name articles: framing label SOURCE …")
        found = listening(host, port)
        session = Session(
            project,
            path.with_suffix(".toml"),
            random_share=random_share,
            double_share=double_share,
            second_look=second_look,
        )

        def ready(port: int) -> None:
            _announce(session.ledger, host, port, first, quiet)
            if open_:
                import webbrowser

                webbrowser.open(_address(host, port, session.ledger.tokens[first]))

        def stop(number: int, frame: object) -> None:
            raise KeyboardInterrupt

        # What stops a service leaves the project as one file, too.
        signal.signal(signal.SIGTERM, stop)
        try:
            run(session, found, host, ready)
        except KeyboardInterrupt:
            pass
        finally:
            session.close()


def _begin(project: Project, ledger: Ledger, codebook: Path | None, quiet: bool) -> None:
    """Take the codebook into a project that has none."""
    if codebook is None:
        return
    from classifier.labeling.frames import read_frames
    from classifier.labeling.store import Event

    data = read_frames(codebook, ledger.last_frame)
    own = ledger.codebook["frames"]
    if not own:
        for event in project.append([Event("codebook", None, None, data)]):
            ledger.apply(event)
    elif not quiet and [frame["name"] for frame in own] != [frame["name"] for frame in data["frames"]]:
        click.echo(f"The project has a codebook of its own, which stays; {plain(str(codebook))} is not read.", err=True)


def _import(project: Project, sources: tuple[str, ...], read: Any, quiet: bool) -> None:
    from classifier.articles import Fault, read_articles

    def tell(fault: Fault) -> None:
        click.echo(plain(f"left out: {fault}"), err=True)

    before = project.n_sentences
    added = project.add_articles(read_articles(sources, read, on_fault=tell))
    if not quiet:
        click.echo(
            f"{added:,} articles added, {project.n_sentences - before:,} sentences; "
            f"the project has {project.n_sentences:,}.",
            err=True,
        )


def _address(host: str, port: int, token: str) -> str:
    import ipaddress
    import socket
    from urllib.parse import quote

    name = host
    try:
        if ipaddress.ip_address(host).is_unspecified:
            name = socket.gethostname()
        elif ":" in host:
            name = f"[{host}]"
    except ValueError:
        pass
    return f"http://{name}:{port}/?token={quote(token)}"


def _announce(ledger: Ledger, host: str, port: int, first: str, quiet: bool) -> None:
    import ipaddress

    for name, token in ledger.tokens.items():
        click.echo(f"{name}: {_address(host, port, token)}")
    if quiet:
        return
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        click.echo(
            "This opens the page to every machine that can reach this one. Whoever has an address above can read all "
            "articles and label as that coder; nothing is encrypted on the way. Use it in a network you trust.",
            err=True,
        )
    click.echo("Labels are on the disk as soon as the page says so. Ctrl-C ends.", err=True)
