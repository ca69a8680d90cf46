"""The same browser as in tests/web."""

from tests.web.conftest import browser

__all__ = ["browser"]
