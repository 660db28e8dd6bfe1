"""Every rule, over a whole checkout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.checker.azd_file import azd_findings
from infra.checker.beside import flex_findings, host_findings, output_findings, query_findings, workbook_findings
from infra.checker.bicep import BicepFile, read, syntax_findings
from infra.checker.constraints import default_findings
from infra.checker.early import early_findings
from infra.checker.finding import Finding
from infra.checker.modules import module_findings
from infra.checker.names import name_findings
from infra.checker.order import order_findings
from infra.checker.parameters import parameter_findings, read_parameters, variables
from infra.checker.published_types import PublishedTypes
from infra.checker.resources import resource_findings
from infra.checker.secrets import secret_findings

MAIN: Final = Path("infra/main.bicep")
PARAMETERS: Final = Path("infra/main.parameters.json")


@dataclass(frozen=True, slots=True)
class Outside:
    """What is published elsewhere and may be absent; what is, is not checked.

    Attributes:
        types: Azure's resource types.
        azd_schema: the schema of azure.yaml.
    """

    types: PublishedTypes | None = None
    azd_schema: Path | None = None


def bicep_files(root: Path) -> list[Path]:
    """Name the Bicep files of a checkout."""
    return sorted((root / "infra").rglob("*.bicep"))


def all_findings(root: Path, outside: Outside) -> list[Finding]:
    """Check every Bicep file and the files around them.

    Raises:
        OSError: a file cannot be read.
    """
    files = [read(path) for path in bicep_files(root)]
    found = [finding for file in files for finding in file_findings(file, outside)]
    found += azd_findings(root, outside.azd_schema, files)
    found += query_findings(root, files)
    found += workbook_findings(root)
    found += host_findings(root)
    main = next((file for file in files if file.path == root / MAIN), None)
    if main is None:
        found.append(Finding(root / MAIN, 0, "file", "there is no main.bicep"))
        return sorted(set(found))
    found += parameter_findings(main, root / PARAMETERS)
    found += output_findings(root, main, _parameter_variables(root))
    return sorted(set(found))


def file_findings(file: BicepFile, outside: Outside) -> list[Finding]:
    """Check one file; one that cannot be read whole is checked no further."""
    unread = syntax_findings(file)
    if unread:
        return unread
    found = [*name_findings(file), *default_findings(file), *module_findings(file), *order_findings(file)]
    found += [*early_findings(file), *secret_findings(file), *flex_findings(file)]
    return found + (resource_findings(file, outside.types) if outside.types else [])


def _parameter_variables(root: Path) -> set[str]:
    try:
        values = read_parameters(root / PARAMETERS).values()
    except (OSError, ValueError):
        return set()
    return {name for value in values for name in variables(value)}
