"""What no schema can say: makes well-formed requests that also make sense to this stack.

Whatever was generated to be wrong stays wrong: only values that are valid by themselves are replaced,
by other valid ones.
"""

import json
import os
import re
import time
from datetime import date, datetime, timezone

import requests
import schemathesis

PUBLIC_KEY = os.environ["IDENTITY_PUBLIC_KEY"]
SECRET_KEY = os.environ["IDENTITY_SECRET_KEY"]
KEY = re.compile(r"pk_live_[A-Za-z0-9]{32}")
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
WEEK_MS = 7 * 86_400_000
MAX_INSTANT = 253_402_300_799_999


def now() -> int:
    return int(time.time() * 1000)


def day(text) -> date | None:
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except (TypeError, ValueError):
        return None


def order_dates(query: dict) -> None:
    """A range ends where it starts or later; without an end, it ends today."""
    start, end = day(query.get("start_date")), day(query.get("end_date"))
    today = datetime.now(timezone.utc).date()
    if start and end and start > end:
        query["start_date"], query["end_date"] = query["end_date"], query["start_date"]
    if start and "end_date" not in query and start > today:
        query["start_date"] = today.isoformat()


def is_instant(value) -> bool:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_number and 0 <= value <= MAX_INSTANT


def make_current(batch: dict) -> None:
    """A batch is sent now, with the stack's own key, and its events are of the last days."""
    at = now()
    if isinstance(batch.get("key"), str) and KEY.fullmatch(batch["key"]):
        batch["key"] = PUBLIC_KEY
    if is_instant(batch.get("sent_at")):
        batch["sent_at"] = at
    session, events = batch.get("session"), batch.get("events")
    if isinstance(session, dict) and is_instant(session.get("started_at")):
        session["started_at"] = min(session["started_at"], at)
    for event in events if isinstance(events, list) else []:
        if isinstance(event, dict) and is_instant(event.get("created_at")):
            event["created_at"] = at - event["created_at"] % WEEK_MS


BASE, LINK_TOKEN = os.environ["IDENTITY_LINK"].split("/#/sign-in/")
# What the description calls the cookie.
COOKIE = "__Host-identity"
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
PROJECT = "demo"
# What is changed, so that nothing changes of what is read.
SCRATCH = "scratch"


def manage(method: str, path: str, body: dict, cookie: str = "") -> requests.Response:
    cookies = {"identity": cookie} if cookie else {}
    answer = requests.request(
        method, f"{BASE}/manage/v1/{path}", json=body, headers=OWN_PAGE, cookies=cookies, timeout=30
    )
    answer.raise_for_status()
    return answer


def signed_in(token: str) -> str:
    return manage("POST", "sign-in", {"token": token}).cookies["identity"]


ADMIN = signed_in(LINK_TOKEN)
manage("POST", "projects", {"id": SCRATCH}, ADMIN)
DOCUMENT = requests.get(f"{BASE}/", timeout=30).text


def newest(listed: str) -> dict:
    headers = {"Authorization": f"Bearer {SECRET_KEY}"}
    return requests.get(f"{BASE}/api/v1/{listed}?limit=1", headers=headers, timeout=30).json()["data"][0]


def invited() -> str:
    link = manage("POST", "people", {"label": "somebody", "projects": [SCRATCH]}, ADMIN).json()["data"]["link"]
    return link.split("/#/sign-in/")[1]


def somebody() -> str:
    signed_in(invited())
    people = manage("GET", "people", {}, ADMIN).json()["data"]
    return next(person["id"] for person in people if person["label"] == "somebody")


def new_key() -> str:
    return manage("POST", "keys", {"project": SCRATCH, "kind": "secret"}, ADMIN).json()["data"]["id"]


class OfThePage(requests.auth.AuthBase):
    """A request as the dashboard's page makes it. It is not made a part of the case, which is held against the description,
    and that has the cookie by its other name."""

    def __init__(self, cookie: str) -> None:
        self.cookie = cookie

    def __call__(self, request):
        request.headers.update({**OWN_PAGE, "Cookie": f"identity={self.cookie}"})
        return request


class AsText(requests.auth.AuthBase):
    """A batch as beacons send it. That it may be a text is described in words, since some generators skip such bodies."""

    def __call__(self, request):
        request.headers["Content-Type"] = "text/plain"
        return request


def name_what_exists(case) -> None:
    """What is named has to exist."""
    path, body = case.operation.path, case.body
    named = {
        "/manage/v1/keys/{id}": new_key,
        "/manage/v1/keys/{id}/rotate": new_key,
        "/manage/v1/projects/{id}": lambda: SCRATCH,
        "/manage/v1/people/{id}": somebody,
        "/api/v1/visitors/{visitor_id}": lambda: newest("visitors")["visitor_id"],
        "/api/v1/sessions/{session_id}": lambda: newest("sessions")["session_id"],
        "/assets/{name}": lambda: re.search(r'/assets/([^"]+)', DOCUMENT)[1],
    }
    if path in named:
        case.path_parameters = {**case.path_parameters, **{name: named[path]() for name in case.path_parameters}}
    if path == "/manage/v1/keys" and case.query:
        case.query["project"] = PROJECT
    if not isinstance(body, dict):
        return
    if path == "/manage/v1/keys":
        body["project"] = PROJECT
    if path.startswith("/manage/v1/projects"):
        for name, example in (("hosts", "*.shop.example"), ("origins", "https://shop.example")):
            # Which texts are hosts and origins, no pattern can say.
            body.update({name: [example for _ in body[name]]} if body.get(name) else {})
    if path == "/manage/v1/people" and body.get("projects"):
        body["projects"] = [PROJECT]
    if path == "/manage/v1/sign-in":
        body["token"] = invited()


DESCRIPTION = requests.get(f"{BASE}/api/v1/openapi.json", timeout=30).json()


@schemathesis.check
def error_is_one_of_its_response(ctx, response, case) -> None:
    """Which errors a response can have stands beside its schema, which is the same for all."""
    described = DESCRIPTION["paths"][case.operation.path][case.operation.method.lower()]["responses"]
    described = described.get(str(response.status_code), {})
    if "$ref" in described:
        described = DESCRIPTION["components"]["responses"][described["$ref"].rpartition("/")[2]]
    if "x-error-codes" in described and response.content:
        error = response.json()["error"]
        if error["code"] not in described["x-error-codes"] or error["status"] != response.status_code:
            raise AssertionError(f"{error} is none of {described['x-error-codes']} with {response.status_code}")


@schemathesis.hook
def before_call(context, case, kwargs) -> None:
    path = case.operation.path
    if path == "/manage/v1/sign-in":
        # Whoever signs in loses the cookie that they had.
        kwargs["auth"] = OfThePage("")
    elif path.startswith("/manage/") and COOKIE in (case.cookies or {}):
        # Where a case leaves the cookie out, it means to.
        is_leaving = path == "/manage/v1/sign-out"
        kwargs["auth"] = OfThePage(signed_in(invited()) if is_leaving else ADMIN)
    if case.meta is None or case.meta.generation.mode.is_positive:
        name_what_exists(case)
    if isinstance(case.query, dict):
        order_dates(case.query)
    if isinstance(case.body, dict):
        make_current(case.body)
        if path == "/collect" and len(json.dumps(case.body)) % 2:
            kwargs["auth"] = AsText()
