"""Calls every operation of a running stack with the client that openapi-python-client generated.

What a client parsed of an answer, and would write of it again, has to be the answer.
"""

import json
import os
import re
import sys
import time
from datetime import datetime, timedelta, timezone
from types import ModuleType

from identity_client import AuthenticatedClient, Client
from identity_client.api.collector import collect_batch, collect_preflight
from identity_client.api.dashboard import get_asset, get_dashboard
from identity_client.api.description import get_description
from identity_client.api.events import list_event_types, list_events
from identity_client.api.figures import get_acquisition, get_audience, get_metrics, get_stats, get_top_pages
from identity_client.api.insights import (
    get_clicks,
    get_forms,
    get_frustration,
    get_journeys,
    get_seo,
    list_errors,
    list_reading,
)
from identity_client.api.management import (
    create_key,
    create_project,
    get_me,
    invite_person,
    list_keys,
    list_people,
    list_projects,
    remove_person,
    revoke_key,
    rotate_key,
    sign_in,
    sign_out,
    update_project,
)
from identity_client.api.sessions import get_session, list_sessions
from identity_client.api.tracker import (
    get_lite_script,
    get_lite_script_of_version,
    get_more_script,
    get_more_script_of_version,
    get_script,
    get_script_of_version,
)
from identity_client.api.visitors import get_visitor, list_live_visitors, list_visitors
from identity_client.models import (
    Batch,
    BatchEvent,
    BatchSession,
    BatchVisitor,
    ErrorCode,
    ErrorResponse,
    EventData,
    GetStatsInterval,
    InvitationRequest,
    KeyKind,
    ProjectChanges,
    ProjectRequest,
    PublicKeyRequest,
    Role,
    SecretKeyRequest,
    SignInRequest,
    StatsResponse,
)

BASE = os.environ["IDENTITY_BASE_URL"]
PROJECT = "python"
# What the dashboard's own page says of itself.
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
# A client that is generated has its operations' names in this form.
called: set[str] = set()


def answer_of(operation: ModuleType, client: Client | AuthenticatedClient, *named: str, **given: object):
    """Calls an operation, and answers what the client made of the response."""
    name = operation.__name__.rpartition(".")[2]
    called.add(name)
    response = operation.sync_detailed(*named, client=client, **given)
    assert 200 <= response.status_code < 300, f"{name}: {response}"
    if response.status_code == 204:
        return None
    parsed = response.parsed
    assert parsed is not None and not isinstance(parsed, ErrorResponse), f"{name}: {response}"
    if not isinstance(parsed, str):
        assert parsed.to_dict() == json.loads(response.content), f"{name}: {parsed}"
    return parsed


def figures(reader: AuthenticatedClient) -> None:
    today = datetime.now(timezone.utc).date()
    days = {"start_date": today - timedelta(days=20), "end_date": today}
    stats = answer_of(get_stats, reader, **days, interval=GetStatsInterval.DAY)
    assert len(stats.data.series) == 21
    assert stats.data.total_visitors == stats.data.new_visitors + stats.data.returning_visitors > 0
    later = StatsResponse.from_dict({**stats.to_dict(), "added_by_a_later_version": True})
    assert later.data == stats.data, "A client has to bear what a later version adds."

    assert answer_of(get_top_pages, reader, **days, limit=3).data.top_pages[0].views > 0
    assert answer_of(get_acquisition, reader, **days).data.channels[0].sessions > 0
    assert answer_of(get_audience, reader, **days).data.browsers[0].visitors > 0
    vitals = answer_of(get_metrics, reader, **days).data.web_vitals
    assert vitals["lcp"].samples > 0 and "cls" in vitals
    for operation in (get_frustration, get_clicks, list_errors, get_forms, get_journeys, list_reading, get_seo):
        assert answer_of(operation, reader, **days).data
    assert answer_of(list_event_types, reader, **days).data[0].count > 0
    refused = get_top_pages.sync(client=reader, limit=0)
    assert isinstance(refused, ErrorResponse) and refused.error.code == ErrorCode.INVALID_PARAMETER


def lists(reader: AuthenticatedClient) -> None:
    visitors = answer_of(list_visitors, reader, limit=5, page=2)
    assert len(visitors.data) == 5 and visitors.pagination.has_prev
    assert answer_of(get_visitor, reader, visitors.data[0].visitor_id).data.sessions
    sessions = answer_of(list_sessions, reader, visitor_id=visitors.data[0].visitor_id)
    assert answer_of(get_session, reader, sessions.data[0].session_id).data.events
    clicks = answer_of(list_events, reader, type_="rage_click")
    assert {click.name for click in clicks.data} == {"rage_click"} and clicks.data[0].data["selector"]
    assert answer_of(list_live_visitors, reader, threshold_minutes=60).count >= 0


def collected(sender: Client) -> None:
    now = int(time.time() * 1000)
    batch = Batch(
        key=os.environ["IDENTITY_PUBLIC_KEY"],
        batch_id=f"b_{now}",
        sent_at=now,
        visitor=BatchVisitor(visitor_id="v_python", language="en"),
        session=BatchSession(session_id="ses_python", started_at=now, url="/pricing"),
        events=[
            BatchEvent(name="page_view", created_at=now, data=EventData.from_dict({"url": "/pricing"})),
            BatchEvent(name="signed_up", created_at=now),
        ],
    )
    assert answer_of(collect_batch, sender, body=batch).data.accepted == 2
    answer_of(collect_preflight, sender)


def files(stranger: Client) -> None:
    version = os.environ["IDENTITY_TRACKER_VERSION"]
    for operation in (get_script, get_more_script, get_lite_script):
        assert answer_of(operation, stranger)
    for operation in (get_script_of_version, get_more_script_of_version, get_lite_script_of_version):
        assert answer_of(operation, stranger, version)
    asset = re.search(r'/assets/([^"]+\.js)', answer_of(get_dashboard, stranger))[1]
    assert answer_of(get_asset, stranger, asset)


def signed_in(link: str) -> tuple[Client, str]:
    """Somebody whom a link let in, and the identifier."""
    client = Client(BASE, headers=OWN_PAGE, raise_on_unexpected_status=True)
    token = link.split("/#/sign-in/")[1]
    person = answer_of(sign_in, client, body=SignInRequest(token=token)).data
    return client, person.id


def management() -> None:
    admin, own_id = signed_in(os.environ["IDENTITY_LINK"])
    me = answer_of(get_me, admin).data
    assert (me.id, me.role) == (own_id, Role.ADMIN)

    project = ProjectRequest(id=PROJECT, name="Python", origins=["https://shop.example"])
    assert answer_of(create_project, admin, body=project).data.origins == ["https://shop.example"]
    assert answer_of(update_project, admin, PROJECT, body=ProjectChanges(hosts=["shop.example"])).data.name == "Python"
    assert PROJECT in {listed.id for listed in answer_of(list_projects, admin).data}

    made = answer_of(create_key, admin, body=SecretKeyRequest(project=PROJECT, kind="secret", rate_limit=600)).data
    assert made.kind == KeyKind.SECRET and made.rate_limit == 600
    answer_of(create_key, admin, body=PublicKeyRequest(project=PROJECT, kind="public", label="Shop"))
    rotated = answer_of(rotate_key, admin, made.id, body={}).data
    answer_of(revoke_key, admin, rotated.id, body={})
    assert rotated.id not in {key.id for key in answer_of(list_keys, admin, project=PROJECT).data}

    viewer = InvitationRequest(label="somebody", role=Role.VIEWER, projects=[PROJECT])
    _, somebody = signed_in(answer_of(invite_person, admin, body=viewer).data.link)
    assert somebody in {person.id for person in answer_of(list_people, admin).data}
    answer_of(remove_person, admin, somebody, body={})
    answer_of(sign_out, admin, body={})


def snake_case(operation_id: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", operation_id).lower()


def main() -> None:
    stranger = Client(BASE, raise_on_unexpected_status=True)
    reader = AuthenticatedClient(BASE, os.environ["IDENTITY_SECRET_KEY"], raise_on_unexpected_status=True)
    figures(reader)
    lists(reader)
    collected(stranger)
    files(stranger)
    management()

    description = answer_of(get_description, stranger).to_dict()
    described = {
        snake_case(operation["operationId"])
        for path in description["paths"].values()
        for operation in path.values()
    }
    if described != called:
        sys.exit(f"Never called: {sorted(described - called)}; not described: {sorted(called - described)}")
    print(f"openapi-python-client: {len(called)} operations called")


main()
