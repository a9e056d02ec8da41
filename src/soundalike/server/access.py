"""Who may ask.

With a token, who knows it: `Authorization: Bearer TOKEN`, or the cookie that `POST /api/session` gives
the page for it. Without one, whoever can reach the server; a browser then must not be turned against it:

- a page elsewhere could let its own name point to this machine (DNS rebinding). So the Host header must
  be a name of this machine, an address, or one of `allowed_hosts`;
- a page elsewhere could send requests here. So what comes from another origin is refused, unless it was
  allowed (`cors`) or carries a credential in itself, which a browser never adds by itself.

The page's own files, health and the description of the API are for everybody. OpenSubsonic has its own
ways to log in (`subsonic/`), so with a token its routes are left to it.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from soundalike.server.errors import RefusedError, refusal
from soundalike.server.settings import Settings, is_local

COOKIE = "soundalike_session"
PAGE, PAGE_FILES = ("/", "/favicon.ico"), "/web/"
OPEN = (*PAGE, "/health", "/api/session", "/api/status", "/api/openapi.json")
"""What everybody may see, besides the page's files; of /api/status a stranger is told little."""
OWN_LOGIN = "/rest/"


class Access:
    """ASGI middleware that refuses what may not be asked.

    It notes in `scope["state"]["authenticated"]` whether the request may see everything.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Wrap an app."""
        self._app, self._settings = app, settings
        self._names = {socket.gethostname().lower(), *map(str.lower, settings.allowed_hosts)}
        self._names |= {settings.host.lower()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = HTTPConnection(scope)
        try:
            scope.setdefault("state", {})["authenticated"] = self._check(request, scope["method"])
        except RefusedError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _check(self, request: HTTPConnection, method: str) -> bool:
        """Whether it may see everything. Raises RefusedError for what may not be asked at all."""
        token, path = self._settings.token, path_of(request.scope)
        if token is None:
            self._require_known_host(request)
        carried = token is not None and bears(request.headers, token)
        if not (carried or (token is not None and path.startswith(OWN_LOGIN))):
            self._require_own_page(request, method, path)
        known = token is None or carried or has_session(request.cookies, token)
        if not known and path not in OPEN and not path.startswith((PAGE_FILES, OWN_LOGIN)):
            raise RefusedError(
                401,
                "this server wants its token: send Authorization: Bearer TOKEN, or log in",
                headers={"WWW-Authenticate": 'Bearer realm="soundalike"'},
            )
        return known

    def _require_known_host(self, request: HTTPConnection) -> None:
        host = host_of(request.headers.get("host", ""))
        if is_local(host) or host in self._names:
            return
        if not self._settings.is_local and _is_address(host):
            return
        raise RefusedError(
            421,
            f"this server does not go by the name {host[:100]!r}; start it with --allow-host "
            f"{host[:100] or 'NAME'} if it should",
        )

    def _require_own_page(self, request: HTTPConnection, method: str, path: str) -> None:
        """Refuse what a page of another origin sent."""
        headers = request.headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        if origin is None:
            foreign = site not in ("none", "same-origin")
            # What plays sound or shows a picture names its page in no other way.
            origin = origin_of(headers.get("referer", "")) or None
            # Following a link to the page is what links are for.
            linked = headers.get("sec-fetch-mode") == "navigate" and method in ("GET", "HEAD")
            foreign = foreign and not (linked and (path in PAGE or path.startswith(PAGE_FILES)))
        else:
            _, _, place = origin_of(origin).partition("://")
            foreign = not place or place != headers.get("host", "").lower()
        allowed = self._settings.cors
        if foreign and "*" not in allowed and origin not in allowed:
            raise RefusedError(
                403,
                f"a page of {(origin or 'another site')[:200]} may not ask here; start the server "
                "with --cors ORIGIN if it should",
                kind="foreign_origin",
            )


def bears(headers: Mapping[str, str], token: str) -> bool:
    """Tell whether a request carries the token."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and same(given.strip(), token)


def has_session(cookies: Mapping[str, str], token: str) -> bool:
    """Tell whether a request has the cookie that was given for the token."""
    return same(cookies.get(COOKIE, ""), session_of(token))


def session_of(token: str) -> str:
    """What the cookie says: made from the token, alike in all workers, and not the token itself."""
    return hmac.new(token.encode(), b"soundalike session", hashlib.sha256).hexdigest()


def same(given: str, secret: str) -> bool:
    """Compare in a time that does not tell how much of it was right."""
    ours, theirs = (
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in (secret, given)
    )
    return hmac.compare_digest(ours, theirs)


def host_of(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    try:
        return (urlsplit(f"//{header}").hostname or "").lower()
    except ValueError:
        return ""


def origin_of(url: str) -> str:
    """Scheme, name and port of a URL, "https://player.example"; "" for what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.scheme and parts.netloc else ""


def path_of(scope: Scope) -> str:
    """The path of a request below the root path, whether or not the proxy has cut that off."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    inside = path[len(root) :]
    return inside if root and path.startswith(root) and inside.startswith("/") else path


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
