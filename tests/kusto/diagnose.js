// Judges Kusto queries with Microsoft's own parser. Reads a JSON array of queries from stdin, and writes for each one
// its diagnostics (line, message) and the columns of its result. tables.kql declares the tables: the columns that are
// used here, from Azure Monitor's table reference (AppRequests, AppTraces, SigninLogs).
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const tables = readFileSync(join(__dirname, "tables.kql"), "utf8");
const listed = (list) => Array.from({ length: list.Count ?? list.getCount() }, (_, index) => list.getItem(index));
const lineAt = (query, position) => query.slice(0, Math.max(0, position)).split("\n").length;

function judged(query) {
  const code = Kusto.Language.KustoCode.ParseAndAnalyze(tables + query);
  const diagnostics = listed(code.GetDiagnostics()).map((one) => [
    lineAt(query, one.Start - tables.length),
    one.Message,
  ]);
  return { diagnostics, columns: code.ResultType?.Columns ? listed(code.ResultType.Columns).map((one) => one.Name) : [] };
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(judged)));
