"""Mistakes to plant: each a small change of a good file, and what has to be said about it."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake.

    Attributes:
        name: what is wrong, in words.
        file: where.
        old: what stands there; it is there once, or the first is meant.
        new: what is put in its place.
        rule: the rule that has to find it.
        named: what the finding has to name.
        needs: the published file without which nobody can find it, or nothing.
    """

    name: str
    file: str
    old: str
    new: str
    rule: str
    named: str
    needs: str = ""


_ROLE_TOO_LATE: Final = """
resource late 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(appName, 'late')
  properties: { principalId: identity.properties.principalId, roleDefinitionId: appName }
}

resource plan """

MISTAKES: Final = (
    Mistake("a bracket is missing", "infra/network.bicep", "['10.77.0.0/24']", "['10.77.0.0/24'", "syntax", "read"),
    Mistake(
        "unknown property", "infra/flex.bicep", "httpsOnly: true", "onlyHttps: true", "unknown", "onlyHttps", "types"
    ),
    Mistake("wrong case", "infra/premium.bicep", "minTlsVersion", "minTLSVersion", "unknown", "minTLSVersion", "types"),
    Mistake(
        "unknown, deep inside",
        "infra/flex.bicep",
        "instanceCount: al",
        "instances: al",
        "unknown",
        "instances",
        "types",
    ),
    Mistake(
        "a read-only property is set",
        "infra/flex.bicep",
        "httpsOnly: true",
        "httpsOnly: true\n    defaultHostName: appName",
        "read-only",
        "defaultHostName",
        "types",
    ),
    Mistake(
        "a required property is missing",
        "infra/foundation.bicep",
        "  kind: 'StorageV2'\n",
        "",
        "missing",
        "kind",
        "types",
    ),
    Mistake(
        "text for a bool", "infra/flex.bicep", "httpsOnly: true", "httpsOnly: 'true'", "kind", "httpsOnly", "types"
    ),
    Mistake(
        "a parameter of the wrong type",
        "infra/foundation.bicep",
        "name: 'log-claims-${suffix}'\n  location: location",
        "name: 'log-claims-${suffix}'\n  location: zoneRedundant",
        "kind",
        "workspace.location",
        "types",
    ),
    Mistake(
        "a value that is not listed", "infra/alerts.bicep", "Kind: 'standard'", "Kind: 'http'", "value", "Kind", "types"
    ),
    Mistake("nearly a listed value", "infra/foundation.bicep", "'TLS1_2'", "'TLS12'", "value", "TLS1_2", "types"),
    Mistake("no such variant", "infra/protection.bicep", "name: 'ftp'", "name: 'ftps'", "variant", "ftps", "types"),
    Mistake(
        "no such variant of a criterion",
        "infra/alerts.bicep",
        "WebtestLocationAvailabilityCriteria",
        "WebTestCriteria",
        "variant",
        "WebTestCriteria",
        "types",
    ),
    Mistake("no such version", "infra/network.bicep", "@2025-05-01", "@2025-05-31", "type", "2025-05-31", "types"),
    Mistake(
        "no such type", "infra/premium.bicep", "Web/serverfarms@", "Web/serverfarm@", "type", "serverfarm", "types"
    ),
    Mistake(
        "a read of what is not there",
        "infra/foundation.bicep",
        "properties.clientId",
        "properties.clientID",
        "read",
        "clientID",
        "types",
    ),
    Mistake(
        "a property of what exists",
        "infra/flex.bicep",
        "name: insightsName",
        "name: insightsName\n  kind: 'web'",
        "existing",
        "kind",
        "types",
    ),
    Mistake(
        "the wrong scope",
        "infra/tenant/signin-logs.bicep",
        "targetScope = 'tenant'\n",
        "",
        "scope",
        "signInLogs",
        "types",
    ),
    Mistake(
        "a name that nothing has", "infra/flex.bicep", "serverFarmId: plan.id", "serverFarmId: plam.id", "name", "plam"
    ),
    Mistake("a function that is not there", "infra/main.bicep", "toLower(", "toLowercase(", "function", "toLowercase"),
    Mistake(
        "a parameter that nothing uses",
        "infra/workbook.bicep",
        "param tags object",
        "param tags object\nparam spare string = ''",
        "unused",
        "spare",
    ),
    Mistake(
        "a variable that nothing uses", "infra/alerts.bicep", "var rules", "var spare = 1\nvar rules", "unused", "spare"
    ),
    Mistake(
        "a property twice",
        "infra/network.bicep",
        "location: location",
        "location: location\n  location: 'x'",
        "twice",
        "location",
    ),
    Mistake(
        "a default outside its bounds",
        "infra/main.bicep",
        "budgetMs int = 1500",
        "budgetMs int = 2500",
        "default",
        "budgetMs",
    ),
    Mistake(
        "a default of another type",
        "infra/main.bicep",
        "expectTraffic bool = false",
        "expectTraffic bool = 'no'",
        "default",
        "expectTraffic",
    ),
    Mistake(
        "a module that is not there", "infra/main.bicep", "'workbook.bicep'", "'book.bicep'", "module", "book.bicep"
    ),
    Mistake(
        "a module without a parameter",
        "infra/main.bicep",
        "    hostName: protection.outputs.hostName\n",
        "",
        "module",
        "hostName",
    ),
    Mistake(
        "a parameter that a module has not",
        "infra/main.bicep",
        "    email: alertEmail",
        "    mail: alertEmail\n    email: alertEmail",
        "module",
        "mail",
    ),
    Mistake(
        "a module's parameter of the wrong type",
        "infra/main.bicep",
        "zoneRedundant: zoneRedundant",
        "zoneRedundant: location",
        "module",
        "zoneRedundant",
    ),
    Mistake(
        "an output that a module has not",
        "infra/main.bicep",
        "foundation.outputs.identityPrincipalId",
        "foundation.outputs.principalId",
        "output",
        "principalId",
    ),
    Mistake(
        "a module without its scope",
        "infra/main.bicep",
        "  name: 'workbook'\n  scope: group\n",
        "  name: 'workbook'\n",
        "scope",
        "workbook",
    ),
    Mistake("a file that is not there", "infra/workbook.bicep", "'workbook.json'", "'page.json'", "file", "page.json"),
    Mistake("a role after the app", "infra/flex.bicep", "\nresource plan ", _ROLE_TOO_LATE, "order", "late"),
    Mistake(
        "a name that is known too late",
        "infra/foundation.bicep",
        "guid(insights.id, identity.id, monitoringMetricsPublisher)",
        "guid(insights.id, identity.properties.principalId, monitoringMetricsPublisher)",
        "early",
        "the name of mayWriteTelemetry",
    ),
    Mistake(
        "a condition that is known too late",
        "infra/main.bicep",
        "if (virtualNetwork)",
        "if (virtualNetwork && !empty(foundation.outputs.insightsName))",
        "early",
        "the condition of network",
    ),
    Mistake(
        "a loop over what is known too late",
        "infra/flex.bicep",
        "map(items(union(appSettings, hostSettings)), setting => { name: setting.key, value: setting.value })",
        "[for setting in items(union(appSettings, hostSettings)): { name: setting.key, value: setting.value }]",
        "early",
        "storage.properties",
    ),
    Mistake(
        "a circle",
        "infra/main.bicep",
        "var tags = { 'azd-env-name': environmentName }",
        "var tags = { 'azd-env-name': appName, x: string(tags) }",
        "circle",
        "tags",
    ),
    Mistake(
        "a key in an output",
        "infra/foundation.bicep",
        "output workspaceId string = workspace.id",
        "output workspaceId string = workspace.id\noutput place string = storage.listKeys().keys[0].value",
        "secret",
        "listKeys",
    ),
    Mistake(
        "a connection string in an output",
        "infra/foundation.bicep",
        "output insightsName string = insights.name",
        "output insightsName string = insights.name\noutput telemetry string = insights.properties.ConnectionString",
        "secret",
        "telemetry",
    ),
    Mistake(
        "a secret as plain text",
        "infra/workbook.bicep",
        "param tags object",
        "param tags object\nparam apiPassword string = ''\noutput size int = length(apiPassword)",
        "secret",
        "apiPassword",
    ),
    Mistake(
        "a parameter that is not given",
        "infra/main.parameters.json",
        '    "authorityUrl": {\n      "value": "${AuthenticationEvents__AuthorityUrl}"\n    },\n',
        "",
        "parameters",
        "authorityUrl",
    ),
    Mistake(
        "a parameter that is not declared",
        "infra/main.parameters.json",
        '"alertEmail"',
        '"alertMail"',
        "parameters",
        "alertMail",
    ),
    Mistake(
        "a variable for two",
        "infra/main.parameters.json",
        "${Claims__Graph__Scope}",
        "${Claims__Graph__Url}",
        "parameters",
        "Claims__Graph__Url",
    ),
    Mistake(
        "an output in lower case",
        "infra/main.bicep",
        "output ENDPOINT_URL",
        "output endpointUrl",
        "output",
        "endpointUrl",
    ),
    Mistake(
        "a setting that Flex refuses",
        "infra/flex.bicep",
        "AzureWebJobsStorage__credential",
        "FUNCTIONS_WORKER_RUNTIME",
        "flex",
        "FUNCTIONS_WORKER_RUNTIME",
    ),
    Mistake(
        "a column that is not there",
        "infra/queries/alert-p95.kql",
        "percentile(DurationMs",
        "percentile(Duration",
        "kql",
        "Duration",
    ),
    Mistake("a bracket in a query", "infra/queries/alert-p95.kql", "count()", "count(", "kql", "("),
    Mistake(
        "an operator that is not there",
        "infra/queries/alert-no-traffic.kql",
        "| summarize",
        "| sumarize",
        "kql",
        "sumarize",
    ),
    Mistake("a workbook that lags behind", "infra/queries/outcomes.kql", "ago(1d)", "ago(2d)", "workbook", "outcomes"),
    Mistake(
        "a hook that azd has not", "azure.yaml", "  postprovision:", "  afterprovision:", "azd", "afterprovision", "azd"
    ),
    Mistake(
        "a key that a service has not",
        "azure.yaml",
        "remoteBuild: false",
        "remotebuild: false",
        "azd",
        "remotebuild",
        "azd",
    ),
    Mistake("a target that make has not", "azure.yaml", "make package", "make zip", "azd", "zip"),
    Mistake("a service without its app", "azure.yaml", "  api:", "  endpoint:", "azd", "endpoint"),
    Mistake("another route", "host.json", '"routePrefix": "api"', '"routePrefix": ""', "host", "route prefix"),
    Mistake("requests are sampled", "host.json", "Request;Exception;Trace", "Exception;Trace", "host", "Request"),
)

#: What only the compiler sees, or nobody before Azure does. Kept here so that nobody believes more than is true.
BEYOND: Final = (
    Mistake(
        "too few arguments",
        "infra/foundation.bicep",
        "guid(storage.id, identity.id, storageBlobDataOwner)",
        "guid()",
        "",
        "guid",
    ),
    Mistake(
        "an unlisted value of an open list",
        "infra/flex.bicep",
        "minTlsVersion: '1.2'",
        "minTlsVersion: '7'",
        "",
        "minTlsVersion",
    ),
    Mistake("a plan that is not sold", "infra/flex.bicep", "tier: 'FlexConsumption'", "tier: 'Flexible'", "", "tier"),
    Mistake("a region that is not there", "infra/alerts.bicep", "us-va-ash-azr", "moon-azr", "", "moon"),
)
