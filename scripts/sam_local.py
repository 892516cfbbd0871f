"""Asks the API that `sam local start-api` serves. Needs SAM's Python environment; scripts/sam-local has it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import boto3
from samcli.yamlhelper import yaml_parse

TABLE = "identity"
# Seconds that a request may take, with a container's start on a busy machine.
PATIENCE = 120


def create_table(template: dict, endpoint: str) -> None:
    """The table as the template has it, but for what DynamoDB Local does not know."""
    described = template["Resources"]["Table"]["Properties"]
    known = ["BillingMode", "AttributeDefinitions", "KeySchema"]
    stream = {"StreamEnabled": True, **described["StreamSpecification"]}
    client = boto3.client("dynamodb", endpoint_url=endpoint)
    client.create_table(TableName=TABLE, StreamSpecification=stream, **{name: described[name] for name in known})


def identity(program: str, endpoint: str, *arguments: str) -> str:
    command = [program, *arguments, "--endpoint-url", endpoint, "--table", TABLE]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def ask(url: str, key: str | None = None, body: dict | None = None) -> tuple[int, dict]:
    """The status and the body of a response."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = None
    if body is not None:
        headers |= {"Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Firefox/128.0"}
        data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def batch(public_key: str) -> dict:
    now = int(time.time() * 1000)
    return {
        "key": public_key,
        "batch_id": "b_1",
        "sent_at": now,
        "visitor": {"visitor_id": "v_1"},
        "session": {"session_id": "ses_1", "started_at": now, "url": "/"},
        "events": [{"name": "page_view", "created_at": now, "data": {"url": "/"}}],
    }


def check(what: str, actual, expected) -> None:
    if actual != expected:
        sys.exit(f"{what}: {actual!r} instead of {expected!r}")
    print(f"{what}: {actual!r}")


def ask_all(base: str, program: str, endpoint: str) -> None:
    identity(program, endpoint, "project", "create", "demo")
    secret = identity(program, endpoint, "key", "create", "--kind", "secret")
    public = identity(program, endpoint, "key", "create", "--kind", "public")
    check("collect", ask(f"{base}/collect", body=batch(public)), (202, {"data": {"accepted": 1}}))
    check("stats without a key", ask(f"{base}/api/v1/stats")[0], 401)
    # Nobody reads the stream here: what was stored is looked for in the table.
    identity(program, endpoint, "replay")
    status, stats = ask(f"{base}/api/v1/stats", secret)
    check("stats", (status, stats["data"]["total_visitors"], stats["data"]["total_page_views"]), (200, 1, 1))
    status, visitor = ask(f"{base}/api/v1/visitors/v_1", secret)
    check("visitor", (status, visitor["data"]["browser_name"]), (200, "Firefox"))
    status, missing = ask(f"{base}/api/v1/visitors/v_2", secret)
    check("unknown visitor", (status, missing["error"]["code"]), (404, "not_found"))
    status, description = ask(f"{base}/api/v1/openapi.json")
    check("description", (status, description["openapi"]), (200, "3.1.0"))


def main(template: str, built: str, architecture: str, program: str) -> None:
    endpoint = os.environ["IDENTITY_TEST_ENDPOINT"]
    create_table(yaml_parse(Path(template).read_text()), endpoint)
    variables = Path(built).parent / "variables.json"
    inside = endpoint.replace("127.0.0.1", "host.docker.internal")
    variables.write_text(json.dumps({"Parameters": {"TABLE_NAME": TABLE, "AWS_ENDPOINT_URL_DYNAMODB": inside}}))
    port = free_port()
    log = Path(built).parent / "start-api.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            ["sam", "local", "start-api", "--template", built, "--env-vars", variables, "--skip-pull-image"]
            + ["--host", "127.0.0.1", "--port", str(port), "--add-host", "host.docker.internal:host-gateway"]
            + ["--warm-containers", "LAZY", "--parameter-overrides", f"Architecture={architecture}"],
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(10 * PATIENCE):
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if server.poll() is not None:
                break
            time.sleep(0.1)
        ask_all(f"http://127.0.0.1:{port}", program, endpoint)
    except BaseException:
        print(log.read_text(), file=sys.stderr)
        raise
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
