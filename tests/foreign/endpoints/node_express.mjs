// A custom claims endpoint on Express, with express-jwt and jwks-rsa. MISTAKE makes one usual mistake.
import express from "express";
import { expressjwt } from "express-jwt";
import jwksRsa from "jwks-rsa";

const { AUTHORITY, TENANT_ID, AUDIENCE, APP_ID_URI, PORT, MISTAKE = "none" } = process.env;
const CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"; // Microsoft Entra's authentication events service
const onlySignature = MISTAKE === "signature-only";

// The registration asks for version 2.0 tokens, so one issuer and one document of keys are enough.
const token = expressjwt({
  secret: jwksRsa.expressJwtSecret({ jwksUri: `${AUTHORITY}/discovery/v2.0/keys`, cache: true, rateLimit: true }),
  algorithms: ["RS256"],
  issuer: onlySignature || MISTAKE === "any-tenant" ? undefined : `${AUTHORITY}/v2.0`,
  audience: onlySignature ? undefined : [AUDIENCE, APP_ID_URI],
  ignoreExpiration: onlySignature || MISTAKE === "expired-accepted",
});

function caller(request, response, next) {
  const { exp, tid, azp } = request.auth;
  const tenant = MISTAKE === "any-tenant" || tid === TENANT_ID;
  const app = MISTAKE === "no-caller-check" || azp === CALLER;
  if (onlySignature || (typeof exp === "number" && tenant && app)) return next();
  response.status(403).json({ error: "not Entra's call" });
}

function claimsOf(event) {
  const { correlationId, user } = event.data.authenticationContext;
  return { CorrelationId: String(correlationId), DisplayName: String(user?.displayName ?? ""), CustomRoles: ["Writer", "Editor"] };
}

async function answer(request, response) {
  if (!request.body?.data?.authenticationContext) return response.status(400).json({ error: "not an event" });
  if (MISTAKE === "slow") await new Promise((resolve) => setTimeout(resolve, 2500));
  const claims = claimsOf(request.body);
  const action = { "@odata.type": "microsoft.graph.tokenIssuanceStart.provideClaimsForToken", claims };
  const content = MISTAKE === "wrong-reply" ? { claims } : { actions: [action] };
  response.json({ data: { "@odata.type": "microsoft.graph.onTokenIssuanceStartResponseData", ...content } });
}

function log(request, response, next) {
  if (MISTAKE === "token-in-log") console.log("called with", request.headers.authorization);
  next();
}

const body = express.json({ limit: "64kb" });
const steps = { "no-validation": [body], "body-before-token": [body, token, caller] }[MISTAKE] ?? [token, caller, body];

const app = express();
app.disable("x-powered-by");
app.post("/api/onTokenIssuanceStart", log, ...steps, answer);
app.use((error, request, response, next) => {
  const status = error.status ?? 500;
  if (status === 401) response.set("WWW-Authenticate", "Bearer");
  response.status(status).json({ error: status === 500 ? "internal error" : error.message });
});
app.listen(Number(PORT), "127.0.0.1");
