"""The server behind the page: a few addresses of JSON, for people who have a token and nobody else."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from classifier.errors import FramingError, InputError
from classifier.labeling.frames import codebook_of
from classifier.labeling.session import Session, StaleError
from classifier.report.colours import stylesheet
from classifier.report.pages import visible

#: Bytes of a request's body, at most.
MAX_BODY = 512 * 1024

#: Characters of an address, at most.
MAX_ADDRESS = 2_000

#: Requests served at once, at most.
MAX_REQUESTS = 100

#: What a browser may do with the page: nothing but talk to this server.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)

_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}

Handler = Callable[[Request], Awaitable[Response]]


class Guard:
    """Lets through what the page itself asks for, and nothing else.

    Parameters
    ----------
    app : ASGI application
    hosts : frozenset of str
        Names by which the server may be called, with the port; empty for any address of the machine.
    port : int

    Notes
    -----
    A name that a stranger's page made to point here (DNS rebinding) is refused by the ``Host`` header, and a request
    that another page sends by ``Origin`` and ``Sec-Fetch-Site``. Bodies are counted as they arrive.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], port: int) -> None:
        self.app, self.hosts, self.port = app, hosts, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        problem = self._problem(scope, headers)
        if problem is not None:
            status, text = problem
            await _answer({"error": text}, status)(scope, receive, _closed(send))
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > MAX_BODY:
                raise TooLargeError
            return message

        await self.app(scope, counted, _closed(send))

    def _problem(self, scope: Scope, headers: Mapping[str, str]) -> tuple[int, str] | None:
        host = headers.get("host", "")
        if not self._is_ours(host):
            return 421, "this server does not go by that name; open the address that framing label printed."
        if len(scope["path"]) + len(scope["query_string"]) > MAX_ADDRESS:
            return 414, "the address is too long."
        if scope["method"] == "GET":
            return None
        if scope["method"] != "POST":
            return 405, "only GET and POST are answered."
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return 403, "the request came from another page."
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return 403, "the request came from another page."
        if headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return 415, "only JSON is understood."
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > MAX_BODY:
            return 413, "the request is too large."
        return None

    def _is_ours(self, host: str) -> bool:
        if self.hosts:
            return host in self.hosts
        try:
            parts = urlsplit(f"//{host}")
            name, port = parts.hostname or "", parts.port or 80
        except ValueError:
            return False
        if port != self.port:
            return False
        # An address cannot be made to point elsewhere, nor can the machine's own name.
        return name in ("localhost", socket.gethostname().lower(), socket.getfqdn().lower()) or _is_address(name)


class TooLargeError(Exception):
    """A body that goes on beyond `MAX_BODY`."""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _closed(send: Send) -> Send:
    """Add to every answer what keeps a browser from doing more with it than the page does."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            more = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", []), *more]}
        await send(message)

    return sending


def application(session: Session, hosts: frozenset[str], port: int) -> ASGIApp:
    """Return the server's application.

    Parameters
    ----------
    session : Session
    hosts : frozenset of str
        See `Guard`.
    port : int

    Returns
    -------
    ASGI application
    """
    cookie = f"framing_{session.project.settings['project']}"
    folder = files("classifier") / "labeling" / "templates"
    page, script, style = ((folder / f"label.{end}").read_bytes() for end in ("html", "js", "css"))
    report_style = (files("classifier") / "report" / "templates" / "report.css").read_text(encoding="utf-8")

    def coder_of(request: Request) -> str:
        token = request.cookies.get(cookie, "")
        coder = session.ledger.coder_of(token) if token else None
        if coder is None:
            raise PermissionError
        return coder

    def handler(work: Callable[[str, Any], Any]) -> Handler:
        async def handle(request: Request) -> Response:
            try:
                coder = coder_of(request)
            except PermissionError:
                return _answer({"error": "open the address with your token, as framing label printed it."}, 401)
            try:
                data = orjson.loads(await request.body()) if request.method == "POST" else dict(request.query_params)
                if not isinstance(data, dict):
                    raise InputError("the request is not an object.")
                return _answer(await run_in_threadpool(work, coder, data))
            except TooLargeError:
                return _answer({"error": "the request is too large."}, 413)
            except ClientDisconnect:
                return Response(status_code=400)
            except StaleError as error:
                view = await run_in_threadpool(session.view, coder)
                return _answer({"error": str(error), "view": view}, 409)
            except (InputError, orjson.JSONDecodeError, UnicodeDecodeError) as error:
                return _answer({"error": str(error)}, 400)
            except FramingError as error:
                return _answer({"error": str(error)}, 507)

        return handle

    async def home(request: Request) -> Response:
        token = request.query_params.get("token")
        if token is not None:
            if session.ledger.coder_of(token) is None:
                return _page("<h1>No such token</h1><p>Open the address that <code>framing label</code> printed.", 401)
            response = Response(status_code=303, headers={"location": "/"})
            response.set_cookie(cookie, token, max_age=180 * 86_400, httponly=True, samesite="strict", path="/")
            return response
        try:
            coder_of(request)
        except PermissionError:
            return _page("<h1>Who is there?</h1><p>Open the address that <code>framing label</code> printed.", 401)
        return Response(page, media_type="text/html; charset=utf-8")

    async def css(request: Request) -> Response:
        book = session.ledger.codebook
        rules = stylesheet(codebook_of(book).frames if book["frames"] else ())
        return Response(f"{rules}{report_style}\n{style.decode()}", media_type="text/css; charset=utf-8")

    async def js(request: Request) -> Response:
        return Response(script, media_type="text/javascript; charset=utf-8")

    def view(coder: str, data: Any) -> Any:
        return session.view(coder, _number(data, "at") if "at" in data else None)

    def decide(coder: str, data: Any) -> Any:
        session.decide(
            coder,
            _number(data, "sentence"),
            _numbers(data, "frames"),
            skip=data.get("skip") is True,
            unsure=data.get("unsure") is True,
            comment=_text(data, "comment") if "comment" in data else None,
            looked=data.get("looked") is True,
            request=_request(data),
            seen=_number(data, "seen") if "seen" in data else None,
        )
        return session.view(coder)

    def undo(coder: str, data: Any) -> Any:
        taken = session.undo(coder, _request(data))
        view = session.view(coder, taken.sentence if taken else None)
        return {**view, "undone": taken.sentence if taken else None}

    def comment(coder: str, data: Any) -> Any:
        session.comment(coder, _number(data, "sentence"), _text(data, "text"))
        return {}

    def goto(coder: str, data: Any) -> Any:
        return {"found": [[number, text] for number, text in session.goto(_text(data, "words"))]}

    def codebook(coder: str, data: Any) -> Any:
        session.save_codebook(coder, data.get("codebook"), _number(data, "event") if "event" in data else None)
        return session.view(coder)

    def rule(coder: str, data: Any) -> Any:
        session.rule(coder, _number(data, "sentence"), _numbers(data, "frames"), _request(data))
        return {"conflicts": session.conflicts()}

    def undo_ruling(coder: str, data: Any) -> Any:
        return {"undone": session.undo_ruling(coder), "conflicts": session.conflicts()}

    def outdated(coder: str, data: Any) -> Any:
        return {"sentence": session.outdated(coder)}

    routes = [
        Route("/", home),
        Route("/label.css", css),
        Route("/label.js", js),
        Route("/api/view", handler(view)),
        Route("/api/changes", handler(lambda coder, data: session.changes(coder))),
        Route("/api/goto", handler(goto)),
        Route("/api/outdated", handler(outdated)),
        Route("/api/agreement", handler(lambda coder, data: session.agreement())),
        Route("/api/conflicts", handler(lambda coder, data: {"conflicts": session.conflicts()})),
        Route("/api/look", handler(lambda coder, data: {"look": session.look(coder, _number(data, "sentence"))})),
        *(
            Route(f"/api/{name}", handler(work), methods=["POST"])
            for name, work in {
                "decide": decide,
                "undo": undo,
                "comment": comment,
                "codebook": codebook,
                "rule": rule,
                "undo_ruling": undo_ruling,
            }.items()
        ),
    ]
    return Guard(Starlette(routes=routes), hosts, port)


def _answer(data: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(_shown(data), option=orjson.OPT_NON_STR_KEYS), status, media_type="application/json")


def _shown(data: Any) -> Any:
    """Replace what a browser would obey, drop or refuse in every text; see `visible`."""
    if isinstance(data, str):
        return visible(data)
    if isinstance(data, dict):
        return {key: _shown(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_shown(value) for value in data]
    return data


def _page(body: str, status: int) -> Response:
    head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Framing</title><link rel="icon" href="data:,">'
    return Response(head + body, status, media_type="text/html; charset=utf-8")


def _number(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    if isinstance(value, str) and value.isdecimal() and len(value) < 16:
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**53:
        raise InputError(f"{name} must be a whole number.")
    return value


def _numbers(data: Mapping[str, Any], name: str) -> list[int]:
    values = data.get(name, [])
    if not isinstance(values, list) or len(values) > 1_000:
        raise InputError(f"{name} must be a list of numbers.")
    return [_number({name: value}, name) for value in values]


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text.")
    return value


def _request(data: Mapping[str, Any]) -> str | None:
    value = _text(data, "request")
    if len(value) > 100:
        raise InputError("request must be a short text.")
    return value or None


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address.

    Raises
    ------
    InputError
        If the address is taken, or none of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}; choose another with --port."
        ) from None
    return found


def hosts_of(host: str, port: int) -> frozenset[str]:
    """Return the names by which a server may be called; empty for any address of the machine, see `Guard`."""
    if not _is_address(host) and host != "localhost":
        return frozenset([f"{host}:{port}"])
    if host == "localhost" or ipaddress.ip_address(host).is_loopback:
        names = [f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}"]
        return frozenset([*names, f"{host}:{port}", *(["localhost", "127.0.0.1"] if port == 80 else [])])
    return frozenset()


def run(session: Session, found: socket.socket, host: str, on_ready: Callable[[int], None]) -> None:
    """Serve until the process is told to stop.

    Parameters
    ----------
    session : Session
    found : socket
        As `listening` gives it.
    host : str
        The address asked for.
    on_ready : callable
        Called with the port before the first request is served.
    """
    import uvicorn

    port = int(found.getsockname()[1])
    config = uvicorn.Config(
        application(session, hosts_of(host, port), port),
        log_level="error",
        access_log=False,
        server_header=False,
        lifespan="off",
        ws="none",
        http="h11",
        loop="asyncio",
        limit_concurrency=MAX_REQUESTS,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        h11_max_incomplete_event_size=32 * 1024,
    )
    found.listen(128)
    on_ready(port)
    uvicorn.Server(config).run(sockets=[found])
