"""What must be there first: no circles, and the roles before the app, which reads its package with them."""

from pathlib import Path
from typing import Final

from infra.checker.bicep import BicepFile, Declaration, read
from infra.checker.finding import Finding
from infra.checker.names import references_in

_APP: Final = "Microsoft.Web/sites"
_ROLE: Final = "Microsoft.Authorization/roleAssignments"


def order_findings(file: BicepFile) -> list[Finding]:
    """Find circles, and apps that could be made before a role assignment, here or in the modules that are called."""
    steps = {one.name: one for one in file.declarations if one.kind in {"resource", "module"}}
    apps = [one for one in steps.values() if _makes(one, file, _APP)]
    # A module that makes both is looked at by itself.
    roles = [one for one in steps.values() if _makes(one, file, _ROLE) and one not in apps]
    found = [
        Finding(file.path, one.line, "circle", f"{one.name} refers to itself, directly or through others")
        for one in file.declarations
        if one.kind != "output" and one.name in _before(one.name, file)
    ]
    for app in apps:
        before = _before(app.name, file)
        late = [role.name for role in roles if role.name not in before]
        message = f"{app.name} does not wait for the role assignment {', '.join(late)}: say dependsOn, or read from it"
        found += [Finding(file.path, app.line, "order", message)] if late else []
    return found


def _makes(step: Declaration, file: BicepFile, wanted: str) -> bool:
    """Say whether a step deploys a resource of a type, itself or through a module."""
    if step.existing:
        return False
    if step.kind == "resource":
        return step.type_name.partition("@")[0] == wanted
    return _file_makes((file.path.parent / step.type_name).resolve(), wanted)


def _file_makes(path: Path, wanted: str) -> bool:
    if not path.is_file():
        return False
    called = read(path)
    return any(_makes(one, called, wanted) for one in called.of("resource", "module"))


def _before(name: str, file: BicepFile) -> set[str]:
    """Name everything that a declaration refers to, directly or through others."""
    symbols = file.symbols()
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        current = symbols.get(waiting.pop())
        if current is None:
            continue
        new = (references_in(current.node) - seen) & symbols.keys()
        seen |= new
        waiting += new
    return seen
