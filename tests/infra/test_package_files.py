"""Which files of the app are packaged: those that are listed, and no secret among them."""

from pathlib import Path

import pytest

from infra.package_files import LISTED, SECRET_NAMES, PackageError, app_files

ROOT = Path(__file__).parents[2]
#: One name for each pattern, as people write them.
SECRETS = (
    *("server.pem", "Signing.KEY", "cert.pfx", "cert.p12", "store.jks", "putty.ppk", "team.kdbx", "x.publishsettings"),
    *("id_rsa", "id_rsa.old", "id_dsa", "id_ecdsa", "id_ed25519", ".env", ".env.production", "prod.env"),
    *(".netrc", ".pypirc", ".npmrc", "local.settings.json", "local.settings.prod.json"),
)
APP = {"claims/endpoint.py", "claims/providers/mine.py", "function_app.py", "host.json", "requirements.txt"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Make an app with everything around it that a developer keeps there."""
    around = (
        ".venv/x.py",
        ".azure/prod/.env",
        "selftest-report/run.jsonl",
        ".coverage.1",
        "tests/test_x.py",
        "notes.md",
    )
    for name in (
        *APP,
        *around,
        *SECRETS,
        "claims/__pycache__/old.pyc",
        "claims/.mypy_cache/x.json",
        "claims/mine.py.new",
    ):
        put(tmp_path, name)
    return tmp_path


def put(root: Path, name: str, text: str = "") -> None:
    """Write a file."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


def include(root: Path, *names: str) -> None:
    """Name files and folders in the project's file."""
    put(root, "pyproject.toml", f"[tool.entra-selftest.package]\ninclude = {list(names)!r}\n")


def packaged(root: Path) -> set[str]:
    """Return the names of the files that are packaged."""
    return {path.as_posix() for path in app_files(root)}


def test_only_what_is_listed_is_taken(root: Path) -> None:
    """Secrets, environments, reports and tests in the root stay there, also names that nobody thought of."""
    assert packaged(root) == APP


def test_here_nothing_else_is_listed() -> None:
    """The package of this repository is the endpoint."""
    assert {path.parts[0] for path in app_files(ROOT)} == set(LISTED)


def test_a_package_of_ones_own_is_named(root: Path) -> None:
    """Folders whole, files alone."""
    for name in ("contoso/__init__.py", "contoso/data/countries.json", "data/one.csv", "data/two.csv"):
        put(root, name)
    include(root, "contoso/", "data/one.csv")
    assert packaged(root) - APP == {"contoso/__init__.py", "contoso/data/countries.json", "data/one.csv"}


@pytest.mark.parametrize("folder", ["claims", "claims/providers", "contoso", "contoso/deep/down"])
@pytest.mark.parametrize("name", [*SECRETS, "key.txt"])
def test_a_secret_among_them_is_refused_unless_it_is_named(root: Path, folder: str, name: str) -> None:
    """By its name or by the private key in it; a folder that is named names none of its secrets."""
    put(root, "contoso/__init__.py")
    put(root, f"{folder}/{name}", "-----BEGIN PRIVATE KEY-----" if name == "key.txt" else "")
    include(root, "contoso")
    with pytest.raises(PackageError, match="may hold a secret") as raised:
        app_files(root)
    assert f"{folder}/{name}" in str(raised.value)
    include(root, "contoso", f"{folder}/{name}")
    assert packaged(root) - APP == {"contoso/__init__.py", f"{folder}/{name}"}


def test_every_pattern_has_a_secret() -> None:
    """The test above plants one of each."""
    assert len(SECRETS) >= len(SECRET_NAMES)


def test_links_are_refused(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """What they lead to may be anything on this machine."""
    outside = tmp_path_factory.mktemp("outside")
    put(outside, "id_rsa")
    (root / "claims/data.txt").symlink_to(outside / "id_rsa")
    with pytest.raises(PackageError, match=r"links.*claims/data\.txt"):
        app_files(root)
    (root / "claims/data.txt").unlink()
    (root / "contoso").symlink_to(outside)
    include(root, "contoso")
    with pytest.raises(PackageError, match=r"links.*contoso/id_rsa"):
        app_files(root)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("include = ['gone/']", "gone is missing"),
        ("include = ['../secrets']", "below this one"),
        ("include = ['/etc/passwd']", "below this one"),
        ("include = ['.']", "below this one"),
        ("include = 'contoso'", "should be a list"),
        ("include = [1]", "expected a list"),
        ("include = [", "cannot be read"),
    ],
)
def test_a_wrong_list_is_refused(root: Path, text: str, said: str) -> None:
    """The message says what was expected."""
    put(root, "pyproject.toml", f"[tool.entra-selftest.package]\n{text}\n")
    with pytest.raises(PackageError, match=said):
        app_files(root)


def test_what_is_listed_must_be_there(tmp_path: Path) -> None:
    """A package without an endpoint would be deployed and answer nothing."""
    with pytest.raises(PackageError, match="claims is missing"):
        app_files(tmp_path)
