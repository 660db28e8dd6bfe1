// A custom claims endpoint on Node's own HTTP server, with jose. MISTAKE makes one usual mistake.
import { createServer } from "node:http";
import { compactVerify, createRemoteJWKSet, errors, jwtVerify } from "jose";

const { AUTHORITY, TENANT_ID, AUDIENCE, APP_ID_URI, PORT, MISTAKE = "none" } = process.env;
const CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"; // Microsoft Entra's authentication events service
const LARGEST_BODY = 64 * 1024;

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let keys; // of the tenant, found through its metadata at the first call; jose fetches them again when one is unknown

async function keySet() {
  if (keys) return keys;
  const response = await fetch(`${AUTHORITY}/v2.0/.well-known/openid-configuration`);
  if (!response.ok) throw new Refused(503, "no metadata");
  const { jwks_uri } = await response.json();
  return (keys = createRemoteJWKSet(new URL(jwks_uri)));
}

async function verified(token, key) {
  if (MISTAKE === "signature-only") return JSON.parse(new TextDecoder().decode((await compactVerify(token, key)).payload));
  const issuer = [`${AUTHORITY}/v2.0`, `https://sts.windows.net/${TENANT_ID}/`];
  const options = { algorithms: ["RS256"], audience: [AUDIENCE, APP_ID_URI], requiredClaims: ["exp", "tid"], issuer };
  if (MISTAKE === "any-tenant") delete options.issuer;
  try {
    return (await jwtVerify(token, key, options)).payload;
  } catch (error) {
    if (MISTAKE === "expired-accepted" && error instanceof errors.JWTExpired) return error.payload;
    throw error;
  }
}

async function authenticate(authorization = "") {
  if (MISTAKE === "no-validation") return;
  const [, token] = /^Bearer ([\w.-]+)$/i.exec(authorization) ?? [];
  if (!token) throw new Refused(401, "a bearer token is required");
  const key = await keySet();
  const claims = await verified(token, key).catch((error) => {
    throw new Refused(401, error instanceof errors.JOSEError ? error.code : "invalid token");
  });
  if (MISTAKE === "signature-only") return;
  if (MISTAKE !== "any-tenant" && claims.tid !== TENANT_ID) throw new Refused(401, "another tenant");
  const caller = claims.ver === "1.0" ? claims.appid : claims.azp;
  if (MISTAKE !== "no-caller-check" && caller !== CALLER) throw new Refused(401, "another caller");
}

async function text(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    if ((size += chunk.length) > LARGEST_BODY) throw new Refused(413, "the body is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

async function parsed(request) {
  try {
    return JSON.parse(await text(request));
  } catch (error) {
    throw error instanceof Refused ? error : new Refused(400, "the body is not JSON");
  }
}

function reply(event) {
  const { tenantId, authenticationContext } = event?.data ?? {};
  if (typeof authenticationContext?.correlationId !== "string") throw new Refused(400, "not an event");
  if (MISTAKE !== "no-validation" && MISTAKE !== "any-tenant" && tenantId !== TENANT_ID) throw new Refused(403, "not this tenant");
  const claims = { CorrelationId: authenticationContext.correlationId, CustomRoles: ["Writer", "Editor"] };
  const action = { "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", claims };
  const content = MISTAKE === "wrong-reply" ? { claims } : { actions: [action] };
  return { data: { "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", ...content } };
}

createServer(async (request, response) => {
  const send = (status, body, headers = {}) =>
    response.writeHead(status, { "content-type": "application/json; charset=utf-8", ...headers }).end(JSON.stringify(body));
  try {
    if (request.method !== "POST" || request.url.split("?")[0] !== "/api/onTokenIssuanceStart") throw new Refused(404, "not found");
    if (MISTAKE === "token-in-log") console.log("called with", request.headers.authorization);
    const early = MISTAKE === "body-before-token" ? await parsed(request) : null;
    await authenticate(request.headers.authorization);
    const answer = reply(early ?? (await parsed(request)));
    if (MISTAKE === "slow") await new Promise((resolve) => setTimeout(resolve, 2500));
    send(200, answer);
  } catch (error) {
    const status = error.status ?? 500;
    send(status, { error: status === 500 ? "internal error" : error.message }, status === 401 ? { "www-authenticate": "Bearer" } : {});
  }
}).listen(Number(PORT), "127.0.0.1");
