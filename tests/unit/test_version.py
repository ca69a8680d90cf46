"""One version everywhere."""

from __future__ import annotations

import re

from device.version import VERSION
from tests.reader import ROOT

PLUGIN = ROOT / "device" / "launcher" / "bookloresync.koplugin"


def test_the_plugin_says_the_version_of_the_worker() -> None:
    found = re.search(r'version = "([^"]+)"', (PLUGIN / "_meta.lua").read_text())
    assert found is not None
    assert found[1] == VERSION


def test_the_changelog_knows_the_version() -> None:
    assert f"## {VERSION}" in (ROOT / "CHANGELOG.md").read_text()
