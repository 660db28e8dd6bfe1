import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.math.BigInteger;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.security.KeyFactory;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.RSAPublicKeySpec;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import static java.nio.charset.StandardCharsets.UTF_8;

/** A custom claims endpoint with the JDK alone: HttpServer, java.security and a JSON reader. MISTAKE makes one usual mistake. */
public class Endpoint {
    static final String CALLER = "99045fe1-7639-4a75-9d4a-577b6ca3810f"; // Microsoft Entra's authentication events service
    static final String AUTHORITY = env("AUTHORITY"), TENANT = env("TENANT_ID"), MISTAKE = env("MISTAKE");
    static final List<String> AUDIENCES = List.of(env("AUDIENCE"), env("APP_ID_URI"));
    static final List<String> ISSUERS = List.of(AUTHORITY + "/v2.0", "https://sts.windows.net/" + TENANT + "/");
    static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(1)).build();
    static Map<String, PublicKey> keys = Map.of();
    static long fetched = System.nanoTime() - Duration.ofMinutes(1).toNanos();

    static class Refused extends Exception {
        final int status;
        Refused(int status) { this.status = status; }
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(env("PORT"))), 128);
        server.createContext("/api/onTokenIssuanceStart", Endpoint::handle);
        server.setExecutor(Executors.newFixedThreadPool(64));
        server.start();
    }

    static void handle(HttpExchange call) {
        try (call) {
            int status = 200;
            String answer;
            try { answer = answer(call); } catch (Refused | IllegalArgumentException error) {
                status = error instanceof Refused refused ? refused.status : 400;
                answer = "{\"error\":\"refused with " + status + "\"}";
            } catch (Exception error) {
                status = 500;
                answer = "{\"error\":\"internal error\"}";
            }
            if (status == 401) call.getResponseHeaders().set("WWW-Authenticate", "Bearer");
            call.getResponseHeaders().set("Content-Type", "application/json; charset=utf-8");
            byte[] bytes = answer.getBytes(UTF_8);
            call.sendResponseHeaders(status, bytes.length);
            call.getResponseBody().write(bytes);
        } catch (java.io.IOException gone) { /* The caller went away. */ }
    }

    static String answer(HttpExchange call) throws Exception {
        if (!call.getRequestMethod().equals("POST")) throw new Refused(405);
        String authorization = call.getRequestHeaders().getFirst("Authorization");
        if (MISTAKE.equals("token-in-log")) System.out.println("called with " + authorization);
        Map<?, ?> early = MISTAKE.equals("body-before-token") ? event(call) : null;
        if (!MISTAKE.equals("no-validation")) authenticate(authorization == null ? "" : authorization);
        Map<?, ?> data = early == null ? event(call) : early;
        if (!List.of("no-validation", "any-tenant").contains(MISTAKE) && !TENANT.equals(data.get("tenantId"))) throw new Refused(403);
        if (!(data.get("authenticationContext") instanceof Map<?, ?> c && c.get("correlationId") instanceof String id)) throw new Refused(400);
        if (MISTAKE.equals("slow")) Thread.sleep(2500);
        String claims = "\"claims\":{\"CorrelationId\":\"" + id.replaceAll("[^\\w-]", "") + "\",\"CustomRoles\":[\"Writer\",\"Editor\"]}";
        String action = "{\"@odata.type\":\"microsoft.graph.tokenIssuanceStart.provideClaimsForToken\"," + claims + "}";
        return "{\"data\":{\"@odata.type\":\"microsoft.graph.onTokenIssuanceStartResponseData\","
            + (MISTAKE.equals("wrong-reply") ? claims : "\"actions\":[" + action + "]") + "}}";
    }

    static Map<?, ?> event(HttpExchange call) throws Exception {
        byte[] body = call.getRequestBody().readNBytes(65537);
        if (body.length > 65536) throw new Refused(413);
        if (Json.read(new String(body, UTF_8)) instanceof Map<?, ?> event && event.get("data") instanceof Map<?, ?> data) return data;
        throw new Refused(400);
    }

    static void authenticate(String authorization) throws Exception {
        String[] parts = authorization.replaceFirst("(?i)^Bearer ", "").split("\\.", -1);
        if (!authorization.toLowerCase().startsWith("bearer ") || parts.length != 3) throw new Refused(401);
        Map<?, ?> claims;
        boolean signed;
        try {
            Map<?, ?> header = (Map<?, ?>) Json.read(decoded(parts[0]));
            claims = (Map<?, ?>) Json.read(decoded(parts[1]));
            PublicKey key = "RS256".equals(header.get("alg")) && !header.containsKey("crit") ? key(header.get("kid")) : null;
            Signature signature = Signature.getInstance("SHA256withRSA");
            if (key == null) throw new Refused(401);
            signature.initVerify(key);
            signature.update((parts[0] + "." + parts[1]).getBytes(UTF_8));
            signed = signature.verify(Base64.getUrlDecoder().decode(parts[2]));
        } catch (java.io.IOException | Refused error) { throw error; } catch (Exception error) { throw new Refused(401); }
        Object caller = claims.get("1.0".equals(claims.get("ver")) ? "appid" : "azp");
        double now = System.currentTimeMillis() / 1000.0;
        boolean anyTenant = MISTAKE.equals("any-tenant");
        boolean valid = (anyTenant || ISSUERS.contains(claims.get("iss")) && TENANT.equals(claims.get("tid")))
            && claims.get("aud") instanceof String audience && AUDIENCES.contains(audience)
            && claims.get("exp") instanceof Double exp && (exp > now - 30 || MISTAKE.equals("expired-accepted"))
            && claims.get("nbf") instanceof Double nbf && nbf < now + 30
            && (CALLER.equals(caller) || MISTAKE.equals("no-caller-check"));
        if (!signed || !valid && !MISTAKE.equals("signature-only")) throw new Refused(401);
    }

    static synchronized PublicKey key(Object kid) throws Exception {
        if (!keys.containsKey(String.valueOf(kid)) && System.nanoTime() - fetched > Duration.ofSeconds(5).toNanos()) {
            fetched = System.nanoTime();
            HttpRequest request = HttpRequest.newBuilder(URI.create(AUTHORITY + "/discovery/v2.0/keys")).timeout(Duration.ofSeconds(1)).build();
            Map<String, PublicKey> found = new HashMap<>();
            for (Object entry : (List<?>) ((Map<?, ?>) Json.read(HTTP.send(request, BodyHandlers.ofString()).body())).get("keys"))
                if (entry instanceof Map<?, ?> jwk && "RSA".equals(jwk.get("kty")) && "sig".equals(jwk.get("use"))
                        && jwk.get("kid") instanceof String name && jwk.get("n") instanceof String n && jwk.get("e") instanceof String e)
                    try {
                        found.put(name, KeyFactory.getInstance("RSA").generatePublic(new RSAPublicKeySpec(number(n), number(e))));
                    } catch (IllegalArgumentException | InvalidKeySpecException odd) { /* The other keys may be good. */ }
            keys = found;
        }
        return keys.get(String.valueOf(kid));
    }

    static BigInteger number(String text) { return new BigInteger(1, Base64.getUrlDecoder().decode(text)); }

    static String decoded(String part) { return new String(Base64.getUrlDecoder().decode(part), UTF_8); }

    static String env(String name) { return System.getenv().getOrDefault(name, ""); }

    /** Reads JSON: objects become maps, numbers become doubles. Anything else is refused with 400. */
    static class Json {
        static final Pattern SCALAR = Pattern.compile("true|false|null|-?(0|[1-9][0-9]*+)(\\.[0-9]++)?([eE][+-]?[0-9]++)?");
        final String text;
        int at;

        Json(String text) { this.text = text; }

        static Object read(String text) throws Refused {
            Json json = new Json(text);
            Object value = json.value(0);
            if (json.next() != 0 || json.at < text.length()) throw new Refused(400);
            return value;
        }

        char current() { return at < text.length() ? text.charAt(at) : 0; }

        char next() {
            while (at < text.length() && " \t\r\n".indexOf(text.charAt(at)) >= 0) at++;
            return current();
        }

        void take(char wanted) throws Refused {
            if (next() != wanted) throw new Refused(400);
            at++;
        }

        Object value(int depth) throws Refused {
            char first = next();
            if (depth > 64) throw new Refused(400);
            if (first == '"') return string();
            if (first == '{' || first == '[') return container(first == '{', depth);
            Matcher scalar = SCALAR.matcher(text).region(at, text.length());
            if (!scalar.lookingAt()) throw new Refused(400);
            at = scalar.end();
            String word = scalar.group();
            if (word.equals("null")) return null;
            return Character.isLetter(word.charAt(0)) ? (Object) word.equals("true") : (Object) Double.valueOf(word);
        }

        Object container(boolean object, int depth) throws Refused {
            Map<String, Object> members = new HashMap<>();
            List<Object> items = new ArrayList<>();
            char end = object ? '}' : ']';
            at++;
            for (boolean more = next() != end; more; more = next() == ',') {
                if (!members.isEmpty() || !items.isEmpty()) take(',');
                if (object && next() != '"') throw new Refused(400);
                String name = object ? string() : null;
                if (object) take(':');
                Object value = value(depth + 1);
                if (object) members.put(name, value); else items.add(value);
            }
            take(end);
            return object ? members : items;
        }

        String string() throws Refused {
            StringBuilder out = new StringBuilder();
            for (at++; current() != '"'; at++) {
                char character = current();
                if (character < ' ') throw new Refused(400);
                if (character == '\\') {
                    at++;
                    int escape = "\"\\/bfnrtu".indexOf(current());
                    if (escape < 0 || at + 5 > text.length()) throw new Refused(400);
                    character = "\"\\/\b\f\n\r\tu".charAt(escape);
                    if (character == 'u') character = (char) HexFormat.fromHexDigits(text, at + 1, at += 5);
                    if (escape == 8) at--;
                }
                out.append(character);
            }
            at++;
            return out.toString();
        }
    }
}
