"""The page for people: the OpenAPI document, with a way to try every call.

All its parts are served from here, so that it works without the internet.
"""

from flask import Blueprint, Response, redirect
from werkzeug.wrappers import Response as AnyResponse

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""No inline script, nothing from elsewhere."""
HOUR = 3600

pages = Blueprint("pages", __name__, static_folder="static", static_url_path="/docs/static")


@pages.get("/")
def home() -> AnyResponse:
    """A newcomer finds the page."""
    return redirect("/docs")


@pages.get("/docs")
def docs() -> Response:
    """The page."""
    return pages.send_static_file("docs.html")


@pages.get("/favicon.ico")
def icon() -> Response:
    """The page's icon, also for those who ask without having read the page."""
    return pages.send_static_file("icon.svg")


@pages.after_request
def allow(response: Response) -> Response:
    """The page may use its own parts and call this service; browsers may keep the parts."""
    response.headers["Content-Security-Policy"] = POLICY
    if response.status_code == 200 and response.mimetype != "text/html":
        response.cache_control.no_cache = None
        response.cache_control.public = True
        response.cache_control.max_age = HOUR
    return response
