// A shop that calls its price list by Java's own client, which asks for HTTP/2 as it does unless it is told otherwise.
//
//     java -cp CLASSES Shop PORT    (the environment has PRICES_URL)
//     java -cp CLASSES Shop URL...  (calls these one after the other and prints the answers)
//
// GET /prices/SKU, /item/SKU (asks by GraphQL) and /tax/COUNTRY (by SOAP). BUG=total, variable or country makes it wrong in one.

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

public final class Shop {
    private static final String BUG = System.getenv().getOrDefault("BUG", "");
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final String ENVELOPE = "<soap:Envelope xmlns:soap=\"http://schemas.xmlsoap.org/soap/envelope/\">"
            + "<soap:Body><rate xmlns=\"urn:rates\"><country>%s</country></rate></soap:Body></soap:Envelope>";

    private static String told(HttpResponse<String> answer) {
        return answer.version() + " " + answer.body();
    }

    private static HttpRequest.Builder to(String path) {
        return HttpRequest.newBuilder(URI.create(System.getenv("PRICES_URL") + path));
    }

    private static HttpRequest post(String path, String kind, String body) {
        return to(path).header("content-type", kind).POST(HttpRequest.BodyPublishers.ofString(body)).build();
    }

    private static String answer(String what, String which) throws IOException, InterruptedException {
        HttpRequest request = switch (what) {
            case "item" -> post("/graphql", "application/json", "{\"query\": \"query Item($sku: ID!) { item(sku: $sku) { cents } }\", "
                    + "\"variables\": {\"sku\": \"" + (BUG.equals("variable") ? "A9" : which) + "\"}}");
            case "tax" -> post("/rates", "text/xml; charset=utf-8", ENVELOPE.formatted(BUG.equals("country") ? "FR" : which));
            default -> to("/prices/" + which).build();
        };
        // Which version answers is not the app's business, and may differ when it is tested.
        String body = CLIENT.send(request, BodyHandlers.ofString()).body();
        return BUG.equals("total") && what.equals("prices") ? body + "!" : body;
    }

    public static void main(String[] words) throws IOException, InterruptedException {
        if (words[0].startsWith("http")) {
            for (String url : words) {
                System.out.println(told(CLIENT.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())));
            }
            return;
        }
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            String[] path = exchange.getRequestURI().getPath().split("/");
            int status = 200;
            byte[] body;
            try {
                body = answer(path[1], path[2]).getBytes(StandardCharsets.UTF_8);
            } catch (IOException | InterruptedException error) {
                status = 500;
                body = error.toString().getBytes(StandardCharsets.UTF_8);
            }
            exchange.sendResponseHeaders(status, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
