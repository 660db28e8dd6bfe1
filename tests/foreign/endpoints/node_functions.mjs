// A custom claims endpoint as a function of @azure/functions (programming model 4), with jose. The last part stands for
// the Functions host: it gives the handler the package's own request and sends what the handler returns.
import { createServer } from "node:http";
import functions from "@azure/functions";
import { createRemoteJWKSet, errors, jwtVerify } from "jose";

const { AUTHORITY, TENANT_ID, AUDIENCE, APP_ID_URI, PORT, MISTAKE = "none" } = process.env;
const CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"; // Microsoft Entra's authentication events service
const { app, HttpRequest } = functions;
const keys = createRemoteJWKSet(new URL(`${AUTHORITY}/discovery/v2.0/keys`));

async function isEntra(authorization) {
  if (MISTAKE === "no-validation") return true;
  const token = authorization?.replace(/^Bearer /i, "");
  const onlySignature = MISTAKE === "signature-only";
  const options = { algorithms: ["RS256"], audience: [AUDIENCE, APP_ID_URI], issuer: `${AUTHORITY}/v2.0`, requiredClaims: ["exp"] };
  if (MISTAKE === "any-tenant") delete options.issuer;
  let claims;
  try {
    claims = (await jwtVerify(token ?? "", keys, onlySignature ? { clockTolerance: "100 years" } : options)).payload;
  } catch (error) {
    if (!(error instanceof errors.JOSEError || error instanceof TypeError)) throw error;
    if (MISTAKE !== "expired-accepted" || !(error instanceof errors.JWTExpired)) return false;
    claims = error.payload;
  }
  const tenant = MISTAKE === "any-tenant" || claims.tid === TENANT_ID;
  const caller = MISTAKE === "no-caller-check" || claims.azp === CALLER;
  return onlySignature || (tenant && caller);
}

async function json(request) {
  try {
    return await request.json();
  } catch {
    return null;
  }
}

async function onTokenIssuanceStart(request, context) {
  if (MISTAKE === "token-in-log") context.log("called with", request.headers.get("authorization"));
  const refuse = (status, headers) => ({ status, headers, jsonBody: { error: `refused with ${status}` } });
  const early = MISTAKE === "body-before-token" ? await json(request) : undefined;
  if (early === null) return refuse(400);
  if (!(await isEntra(request.headers.get("authorization")))) return refuse(401, { "www-authenticate": "Bearer" });
  const event = early ?? (await json(request));
  const correlationId = event?.data?.authenticationContext?.correlationId;
  if (!correlationId) return refuse(400);
  if (MISTAKE === "slow") await new Promise((resolve) => setTimeout(resolve, 2500));
  const claims = { CorrelationId: String(correlationId), CustomRoles: ["Writer", "Editor"] };
  const action = { "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", claims };
  const content = MISTAKE === "wrong-reply" ? { claims } : { actions: [action] };
  return { jsonBody: { data: { "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", ...content } } };
}

app.http("onTokenIssuanceStart", { methods: ["POST"], authLevel: "anonymous", handler: onTokenIssuanceStart });

createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const { pathname } = new URL(incoming.url, "http://localhost");
  let reply = { status: 404 };
  if (incoming.method === "POST" && pathname === "/api/onTokenIssuanceStart") {
    const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
    const url = `http://127.0.0.1:${PORT}${incoming.url}`;
    const request = new HttpRequest({ method: "POST", url, headers, body: { bytes: Buffer.concat(chunks) } });
    reply = await onTokenIssuanceStart(request, { log: console.log }).catch(() => ({ status: 500 }));
  }
  const type = reply.jsonBody ? { "content-type": "application/json" } : {};
  outgoing.writeHead(reply.status ?? 200, { ...type, ...reply.headers }).end(JSON.stringify(reply.jsonBody));
}).listen(Number(PORT), "127.0.0.1");
