"""What only an administrator may change, and what no client of ours should ever ask.

Promises: settings are switched by administrators alone; the question for the newest version is counted, because the
real server answers it by calling another host and lets the client wait for that.
Called by: `routes`.
Law: the API map §2 (version) and §5.3 (settings).
"""

from __future__ import annotations

from tests.sandbox.calls import Call
from tests.sandbox.messages import Response, empty_response, json_response, malformed

SWITCHES = {
    "KOMGA_API_ENABLED": "komga_enabled",
    "OPDS_SERVER_ENABLED": "opds_enabled",
}


def change_settings(call: Call) -> Response:
    call.demand("admin")
    changes = call.read_json()
    if not isinstance(changes, list):
        raise malformed()
    for change in changes:
        name = change.get("name") if isinstance(change, dict) else None
        if isinstance(name, str) and name in SWITCHES:
            setattr(call.settings, SWITCHES[name], str(change.get("value")).lower() == "true")
    return empty_response(200)


def tell_versions(call: Call) -> Response:
    call.settings.called_home += 1
    return json_response({"current": call.version, "latest": call.version})
