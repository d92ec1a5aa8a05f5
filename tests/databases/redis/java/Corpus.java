// The commands of corpus.json by Jedis and Lettuce: an app whose every answer is what the driver
// understood.
//
//     java -cp 'lib/*' Corpus PORT DRIVER COMMANDS
//
// DRIVER is jedis or lettuce, a dash, and the version of the protocol: jedis-2, lettuce-3. COMMANDS is a
// file of lines: a group, a tab, and the words of a command in hexadecimal between blanks. The server is
// the one that the environment's REDIS_URL names. Answers /run/GROUP.

import com.sun.net.httpserver.HttpServer;
import io.lettuce.core.ClientOptions;
import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.sync.RedisCommands;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.ObjectOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.ProtocolKeyword;
import io.lettuce.core.protocol.ProtocolVersion;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisProtocol;
import redis.clients.jedis.util.KeyValue;

public final class Corpus {
    /** A reply as text that is the same in every run, whatever the order of sets and maps. */
    private static String told(Object value) {
        if (value instanceof byte[] bytes) {
            return "bytes " + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof KeyValue<?, ?> pair) {
            return told(pair.getKey()) + ": " + told(pair.getValue());
        }
        if (value instanceof Map<?, ?> map) {
            Map<String, String> sorted = new TreeMap<>();
            map.forEach((key, inner) -> sorted.put(told(key), told(inner)));
            return sorted.toString();
        }
        if (value instanceof Collection<?> items) {
            List<String> lines = items.stream().map(Corpus::told).collect(Collectors.toCollection(ArrayList::new));
            if (items instanceof Set<?>) {
                lines.sort(null);
            }
            return lines.toString();
        }
        return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
    }

    private static byte[][] rest(List<byte[]> words) {
        return words.subList(1, words.size()).toArray(byte[][]::new);
    }

    private static Function<List<byte[]>, Object> byJedis(URI url, String version) {
        var config = DefaultJedisClientConfig.builder().password(url.getUserInfo().substring(1))
            .protocol(version.equals("3") ? RedisProtocol.RESP3 : RedisProtocol.RESP2).clientName("corpus").build();
        Jedis db = new Jedis(new HostAndPort(url.getHost(), url.getPort()), config);
        return words -> db.sendCommand(() -> words.get(0), rest(words));
    }

    /** A command that Lettuce has no name for. */
    private record Keyword(byte[] getBytes) implements ProtocolKeyword {
        @Override
        public String toString() {
            return new String(getBytes, StandardCharsets.US_ASCII);
        }
    }

    private static Function<List<byte[]>, Object> byLettuce(URI url, String version) {
        RedisClient client = RedisClient.create(RedisURI.create(url));
        client.setOptions(ClientOptions.builder()
            .protocolVersion(version.equals("3") ? ProtocolVersion.RESP3 : ProtocolVersion.RESP2).build());
        RedisCommands<byte[], byte[]> db = client.connect(ByteArrayCodec.INSTANCE).sync();
        return words -> {
            var arguments = new CommandArgs<>(ByteArrayCodec.INSTANCE);
            Arrays.stream(rest(words)).forEach(arguments::add);
            return db.dispatch(new Keyword(words.get(0)), new ObjectOutput<>(ByteArrayCodec.INSTANCE), arguments);
        };
    }

    private static String run(Function<List<byte[]>, Object> send, List<List<byte[]>> commands) {
        StringBuilder lines = new StringBuilder();
        for (List<byte[]> words : commands) {
            try {
                lines.append(told(send.apply(words)));
            } catch (RuntimeException error) {
                lines.append("error: ").append(error.getMessage());
            }
            lines.append('\n');
        }
        return lines.toString();
    }

    public static void main(String[] args) throws Exception {
        Map<String, List<List<byte[]>>> groups = new TreeMap<>();
        for (String line : Files.readAllLines(Path.of(args[2]))) {
            String[] parts = line.split("\t", 2);
            var words = Arrays.stream(parts[1].split(" ", -1)).map(HexFormat.of()::parseHex).toList();
            groups.computeIfAbsent(parts[0], group -> new ArrayList<>()).add(words);
        }
        URI url = URI.create(System.getenv("REDIS_URL"));
        String[] driver = args[1].split("-");
        var send = driver[0].equals("jedis") ? byJedis(url, driver[1]) : byLettuce(url, driver[1]);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[0])), 0);
        server.createContext("/run/", exchange -> {
            String group = exchange.getRequestURI().getPath().substring("/run/".length());
            byte[] body = run(send, groups.get(group)).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
