"""The fixtures of pytest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from gatelodge import Gatelodge, start


@pytest.fixture(scope="session")
def gatelodge_options() -> dict[str, Any]:
    """What the server of the session is started with; a fixture of this name replaces it."""
    return {"auto_approve": "ada", "open_clients": True, "seed": 7}


@pytest.fixture(scope="session")
def gatelodge_server(gatelodge_options: dict[str, Any]) -> Iterator[Gatelodge]:
    """One server for all tests, which see what the others left."""
    with start(**gatelodge_options) as server:
        yield server


@pytest.fixture
def gatelodge(gatelodge_server: Gatelodge) -> Gatelodge:
    """A server in its first state."""
    gatelodge_server.reset()
    return gatelodge_server
