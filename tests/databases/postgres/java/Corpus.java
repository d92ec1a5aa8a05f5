// The statements of corpus.py by the JDBC driver over HikariCP: an app whose every answer is what
// the driver understood.
//
//     java -cp 'lib/*' Corpus.java PORT MODE STATEMENTS
//
// MODE is a query mode of the driver (simple, extended, extendedForPrepared, extendedCacheEverything)
// or binary, which prepares on the server at once. The database is named by the PG… variables; POOL
// is how many connections are opened.

import com.sun.net.httpserver.HttpServer;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;

public final class Corpus {
    private static String shown(Object value) throws SQLException {
        if (value instanceof byte[] bytes) {
            return "bytes " + HexFormat.of().formatHex(bytes);
        }
        if (value instanceof java.sql.Array array) {
            return "array " + Arrays.deepToString((Object[]) array.getArray());
        }
        return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
    }

    private static String ask(HikariDataSource pool, String sql) {
        StringBuilder told = new StringBuilder();
        try (Connection db = pool.getConnection()) {
            db.setAutoCommit(false);
            for (int round = 0; round < 2; round++) {
                try (PreparedStatement statement = db.prepareStatement(sql + ", generate_series(1, ?)")) {
                    statement.setFetchSize(2);
                    statement.setInt(1, 3);
                    try (ResultSet rows = statement.executeQuery()) {
                        ResultSetMetaData columns = rows.getMetaData();
                        while (rows.next()) {
                            for (int column = 1; column <= columns.getColumnCount(); column++) {
                                told.append(columns.getColumnTypeName(column)).append(' ')
                                    .append(shown(rows.getObject(column))).append('\n');
                            }
                        }
                    }
                }
            }
            try (PreparedStatement batch = db.prepareStatement("INSERT INTO ledger (order_id, amount) VALUES (?, ?)")) {
                for (int number = 1; number <= 3; number++) {
                    batch.setInt(1, number);
                    batch.setBigDecimal(2, new java.math.BigDecimal("1.25"));
                    batch.addBatch();
                }
                told.append(Arrays.toString(batch.executeBatch())).append('\n');
            }
            db.rollback();
        } catch (SQLException error) {
            told.append("error: ").append(error.getMessage());
        }
        return told.toString();
    }

    public static void main(String[] words) throws Exception {
        Map<String, String> env = System.getenv();
        HikariConfig config = new HikariConfig();
        boolean binary = words[1].equals("binary");
        config.setJdbcUrl("jdbc:postgresql://%s:%s/%s?%s".formatted(
            env.get("PGHOST"), env.get("PGPORT"), env.get("PGDATABASE"),
            binary ? "prepareThreshold=-1" : "preferQueryMode=" + words[1]));
        config.setUsername(env.get("PGUSER"));
        config.setPassword(env.get("PGPASSWORD"));
        config.setMaximumPoolSize(Integer.parseInt(env.getOrDefault("POOL", "1")));
        // One line for each statement: "path", a tab, the SQL.
        Map<String, String> statements = Files.readAllLines(Path.of(words[2])).stream()
            .map(line -> line.split("\t", 2)).collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        HikariDataSource pool = new HikariDataSource(config);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            String told = path.startsWith("/api/") ? Api.tell(pool, path.substring(5)) : ask(pool, statements.get(path));
            byte[] text = told.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
    }
}
