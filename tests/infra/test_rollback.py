"""``python -m infra.rollback``: one command, the package before, and a program in place of the Azure CLI."""

import http.server
import json
import sys
import threading
from pathlib import Path

import pytest

from infra import rollback
from infra.rollback import is_healthy, main

_ENVIRONMENT = {"AZURE_RESOURCE_GROUP": "rg", "AZURE_FUNCTION_APP": "func", "ENDPOINT_HOST": "func.example"}
_AZ = f"""#!{sys.executable}
import json, pathlib, sys
words = sys.argv[1:]
package = pathlib.Path(words[words.index("--src") + 1]).read_bytes().decode()
pathlib.Path(__file__).with_name("asked.json").write_text(json.dumps([words, package]))
sys.exit(package == "refused")
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a checkout with an azd environment, next to a program named az."""
    (tmp_path / "build").mkdir()
    (tmp_path / ".azure/dev").mkdir(parents=True)
    lines = [f'{name}="{value}"' for name, value in _ENVIRONMENT.items()]
    (tmp_path / ".azure/dev/.env").write_text("\n".join(lines))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/az").write_text(_AZ)
    (tmp_path / "bin/az").chmod(0o755)
    monkeypatch.setattr(rollback, "ROOT", tmp_path)
    monkeypatch.setattr(rollback, "DEFAULT_OUT", tmp_path / "build/package.zip")
    monkeypatch.setattr(rollback, "is_healthy", lambda url: url == "https://func.example/api/health")
    return tmp_path


def _deployed(root: Path, package: str) -> None:
    """Do what the postdeploy hook does."""
    (root / "build/package.zip").write_text(package)
    assert main(["--keep"], {"AZURE_ENV_NAME": "dev"}) == 0


def _roll_back(root: Path) -> int:
    return main(["--env", "dev"], {"PATH": str(root / "bin")})


def test_the_package_before_is_deployed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As the bytes that it was, whatever has been built since; a third deployment of the same is no other package."""
    for package in ("good", "bad", "bad"):
        _deployed(root, package)
    (root / "build/package.zip").write_text("not deployed yet")
    assert _roll_back(root) == 0
    words, package = json.loads((root / "bin/asked.json").read_text())
    assert package == "good"
    assert words[:4] == ["functionapp", "deployment", "source", "config-zip"]
    assert {name: words[words.index(name) + 1] for name in ("--resource-group", "--name", "--build-remote")} == {
        "--resource-group": "rg",
        "--name": "func",
        "--build-remote": "false",
    }
    assert "healthy    https://func.example/api/health" in capsys.readouterr().out
    assert (root / "build/dev/rolled-back.zip").read_text() == "bad"
    assert _roll_back(root) == 2
    assert "has been rolled back already" in capsys.readouterr().err
    for package in ("better", "worse"):
        _deployed(root, package)
    assert _roll_back(root) == 0
    assert json.loads((root / "bin/asked.json").read_text())[1] == "better"


def test_what_stops_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to go back to, no name, no Azure CLI, no deployment, and a refusal, after which it can be run again."""
    assert _roll_back(root) == 2
    assert "previous.zip" in capsys.readouterr().err
    assert main(["--env", "other"], {}) == 2
    assert "azd has no environment 'other'" in capsys.readouterr().err
    assert main([], {}) == main(["--env", "../dev"], {}) == 2
    assert "name the azd environment" in capsys.readouterr().err
    for package in ("refused", "bad"):
        _deployed(root, package)
    assert main(["--env", "dev"], {"PATH": str(root)}) == 2
    assert "the Azure CLI is not installed" in capsys.readouterr().err
    assert _roll_back(root) == 2
    assert "az login" in capsys.readouterr().err
    assert (root / "build/dev/previous.zip").read_text() == "refused"
    (root / ".azure/dev/.env").write_text("")
    assert _roll_back(root) == 2
    assert "AZURE_RESOURCE_GROUP, AZURE_FUNCTION_APP, ENDPOINT_HOST" in capsys.readouterr().err


def test_an_endpoint_that_stays_silent_is_one(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The way on is to take the listener off."""
    monkeypatch.setattr(rollback, "is_healthy", lambda _url: False)
    for package in ("good", "bad"):
        _deployed(root, package)
    assert _roll_back(root) == 1
    assert "objects disable APP_ID" in capsys.readouterr().err


def test_health_is_asked_for_until_it_is_there() -> None:
    """While instances are replaced it is not, for a while."""
    answers = [503, 200]

    class Answering(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answers.pop(0))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
            del format, args

    with http.server.HTTPServer(("127.0.0.1", 0), Answering) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert is_healthy(f"http://127.0.0.1:{server.server_port}/api/health", pause_s=0)
        server.shutdown()
    assert answers == []
    assert not is_healthy(f"http://127.0.0.1:{server.server_port}/api/health", tries=2, pause_s=0)
