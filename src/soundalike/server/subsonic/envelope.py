"""Content -> subsonic-response, as XML, JSON or JSONP.

Content is made of dicts, lists, text, numbers and booleans, as in JSON. In XML a dict is an element, its
plain values are attributes, a list is as many elements of one name; the key "value" is the text within.

Titles and paths may hold what XML or UTF-8 cannot: control characters, halves of surrogate pairs. Each
such character becomes U+FFFD, the mark for what cannot be shown.
"""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

from starlette.responses import Response

from soundalike import __version__
from soundalike.server.subsonic.failures import GENERIC, MISSING_PARAMETER, FailureError
from soundalike.server.subsonic.parameters import Parameters

VERSION = "1.16.1"
"""Of the Subsonic API; OpenSubsonic builds upon it."""
NAMESPACE = "http://subsonic.org/restapi"
FORMATS = ("xml", "json", "jsonp")
# A name, or names joined by points, as in "player.callbacks.jsonp12"; it is run as a script.
_CALLBACK = re.compile(r"(?=.{1,128}$)[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*", re.ASCII)
_NOT_UNICODE = re.compile("[\ud800-\udfff]")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# The extension sonicSimilarity is young; servers that have it write this number as an element.
_ELEMENTS = {"similarity"}


def succeeded(content: dict[str, Any], parameters: Parameters) -> Response:
    """Wrap content in the format a call asks for. Raises FailureError if there is no such format."""
    return _written({**_head("ok"), **content}, *format_of(parameters))


def failed(failure: FailureError, parameters: Parameters) -> Response:
    """Wrap a failure in the format a call asks for, in XML if that is what failed."""
    try:
        form, callback = format_of(parameters)
    except FailureError as other:
        failure, form, callback = other, "json" if parameters.text("f") == "jsonp" else "xml", ""
    error = {"code": failure.code, "message": failure.message}
    return _written({**_head("failed"), "error": error}, form, callback)


def format_of(parameters: Parameters) -> tuple[str, str]:
    """The format asked for and the name of the function JSONP is to call.

    Raises:
        FailureError: a format that is not there, or a name that is no name of a function.
    """
    form, callback = parameters.text("f", "xml"), parameters.text("callback")
    if form not in FORMATS:
        raise FailureError(GENERIC, f"f is {form[:80]!r}; it is xml, json or jsonp")
    if form == "jsonp" and not callback:
        raise FailureError(MISSING_PARAMETER, "the parameter callback is missing, as f is jsonp")
    if form == "jsonp" and not _CALLBACK.fullmatch(callback):
        raise FailureError(GENERIC, f"callback is {callback[:80]!r}; that is no name of a function")
    return form, callback


def _head(status: str) -> dict[str, Any]:
    return {
        "status": status,
        "version": VERSION,
        "type": "soundalike",
        "serverVersion": __version__,
        "openSubsonic": True,
    }


def _written(response: dict[str, Any], form: str, callback: str) -> Response:
    if form == "xml":
        return Response(_as_xml(response), media_type="text/xml; charset=utf-8")
    text = json.dumps(
        {"subsonic-response": response}, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    )
    body = _NOT_UNICODE.sub("\ufffd", text)
    if form == "json":
        return Response(body, media_type="application/json")
    # The comment keeps the name from being the first bytes of what a browser might take for a file.
    return Response(f"/**/{callback}({body});", media_type="text/javascript; charset=utf-8")


def _as_xml(response: dict[str, Any]) -> bytes:
    root = ElementTree.Element("subsonic-response", {"xmlns": NAMESPACE})
    _fill(root, response)
    text = ElementTree.tostring(root, encoding="unicode")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _NOT_XML.sub("\ufffd", text).encode()


def _fill(element: ElementTree.Element, content: dict[str, Any]) -> None:
    for name, value in content.items():
        if isinstance(value, dict | list) or name in _ELEMENTS:
            for each in value if isinstance(value, list) else (value,):
                inside = ElementTree.SubElement(element, name)
                if isinstance(each, dict):
                    _fill(inside, each)
                else:
                    inside.text = _text(each)
        elif name == "value":
            element.text = _text(value)
        else:
            element.set(name, _text(value))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
