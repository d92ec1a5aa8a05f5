// Calls a server by Java's HttpClient: GET of the first URL, then POST of a text to the second. The proxy is that
// of PROXY_URL, which is told who asks when it wants to know.

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.ProxySelector;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public final class Client {
    public static void main(String[] words) throws InterruptedException {
        var proxy = URI.create(System.getenv("PROXY_URL"));
        String[] login = proxy.getUserInfo().split(":");
        var client = HttpClient.newBuilder()
                .proxy(ProxySelector.of(new InetSocketAddress(proxy.getHost(), proxy.getPort())))
                .authenticator(new Authenticator() {
                    @Override
                    protected PasswordAuthentication getPasswordAuthentication() {
                        return new PasswordAuthentication(login[0], login[1].toCharArray());
                    }
                }).build();
        var item = HttpRequest.newBuilder(URI.create(words[0])).build();
        var paid = HttpRequest.newBuilder(URI.create(words[1])).header("content-type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(words[2])).build();
        try {
            System.out.println(client.send(item, BodyHandlers.ofString()).body());
            System.out.println(client.send(paid, BodyHandlers.ofString()).body());
        } catch (IOException error) {
            System.out.println(error.getMessage());
            System.exit(1);
        }
    }
}
