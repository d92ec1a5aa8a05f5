// What memcached can do, by spymemcached and xmemcached with the text protocol: an app whose every answer is
// what the driver understood.
//
//     java -cp 'lib/*' Corpus PORT MEMCACHED_PORT DRIVER
//
// DRIVER is spymemcached or xmemcached.

import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import net.rubyeye.xmemcached.XMemcachedClient;
import net.spy.memcached.MemcachedClient;

public final class Corpus {
    /** Something that may fail. */
    private interface Act {
        Object call() throws Exception;
    }

    private static Map<String, List<Act>> bySpymemcached(int port) throws Exception {
        MemcachedClient db = new MemcachedClient(new InetSocketAddress("127.0.0.1", port));
        return Map.of(
            "basics", List.of(() -> db.set("a", 60, "one two").get(), () -> db.get("a"), () -> db.get("nobody"), () -> db.add("a", 0, "x").get(),
                () -> db.replace("a", 0, "y").get(), () -> db.append("a", "z").get(), () -> db.get("a"), () -> db.delete("a").get()),
            "counters", List.of(() -> db.set("n", 0, "5").get(), () -> db.incr("n", 3), () -> db.decr("n", 10), () -> db.incr("nobody", 1)),
            "many", List.of(() -> db.set("x", 0, 7L).get(), () -> new TreeMap<>(db.getBulk("x", "nobody"))),
            "cas", List.of(() -> db.set("c", 0, "1").get(), () -> db.cas("c", db.gets("c").getCas(), "2"), () -> db.cas("c", 1L, "3")));
    }

    private static Map<String, List<Act>> byXmemcached(int port) throws Exception {
        XMemcachedClient db = new XMemcachedClient("127.0.0.1", port);
        return Map.of(
            "basics", List.of(() -> db.set("a", 60, "one two"), () -> db.get("a"), () -> db.get("nobody"), () -> db.add("a", 0, "x"),
                () -> db.replace("a", 0, "y"), () -> db.append("a", "z"), () -> db.get("a"), () -> db.touch("a", 9), () -> db.delete("a")),
            "counters", List.of(() -> db.set("n", 0, "5"), () -> db.incr("n", 3), () -> db.decr("n", 10), () -> db.incr("nobody", 1, 4)),
            "many", List.of(() -> db.set("x", 0, 7L), () -> new TreeMap<>(db.get(List.of("x", "nobody")))),
            "cas", List.of(() -> db.set("c", 0, "1"), () -> db.cas("c", 0, "2", db.gets("c").getCas()), () -> db.cas("c", 0, "3", 1L)));
    }

    private static String run(List<Act> acts) {
        StringBuilder lines = new StringBuilder();
        for (Act act : acts) {
            try {
                lines.append(act.call());
            } catch (Exception error) {
                lines.append("error: ").append(error.getClass().getSimpleName());
            }
            lines.append('\n');
        }
        return lines.toString();
    }

    public static void main(String[] args) throws Exception {
        int memcached = Integer.parseInt(args[1]);
        var acts = args[2].equals("spymemcached") ? bySpymemcached(memcached) : byXmemcached(memcached);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.createContext("/", exchange -> {
            byte[] body = run(acts.get(exchange.getRequestURI().getPath().substring(1))).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
