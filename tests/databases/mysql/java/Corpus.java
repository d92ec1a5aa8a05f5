// The statements of corpus.py by the JDBC drivers over HikariCP: an app whose every answer is what the
// driver understood.
//
//     java -cp 'lib/*' Corpus PORT DRIVER OPTIONS STATEMENTS
//
// DRIVER is mysql or mariadb, OPTIONS are those of its URL. The database is named by the DB_… variables;
// POOL is how many connections are opened.

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
import java.sql.Statement;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.stream.Collectors;

public final class Corpus {
    private static String shown(Object value) {
        if (value instanceof byte[] bytes) {
            return "bytes " + HexFormat.of().formatHex(bytes);
        }
        return value == null ? "null" : value.getClass().getSimpleName() + " " + value;
    }

    private static void ask(Connection db, String sql, StringBuilder told) throws SQLException {
        db.setAutoCommit(false);
        for (int round = 0; round < 2; round++) {
            try (PreparedStatement statement = db.prepareStatement(sql)) {
                statement.setFetchSize(2);
                statement.setInt(1, 0);
                try (ResultSet rows = statement.executeQuery()) {
                    ResultSetMetaData columns = rows.getMetaData();
                    for (int column = 1; column <= columns.getColumnCount(); column++) {
                        told.append(columns.getColumnName(column)).append(' ').append(columns.getTableName(column)).append(' ')
                            .append(columns.getColumnTypeName(column)).append(' ').append(columns.getPrecision(column)).append(' ')
                            .append(columns.isNullable(column)).append(' ').append(columns.isSigned(column)).append('\n');
                    }
                    while (rows.next()) {
                        for (int column = 1; column <= columns.getColumnCount(); column++) {
                            try {
                                told.append(shown(rows.getObject(column))).append('\n');
                            } catch (SQLException | RuntimeException error) {
                                told.append(error).append('\n');
                            }
                        }
                    }
                }
            }
        }
        db.rollback();
    }

    private static void write(Connection db, StringBuilder told) throws SQLException {
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        db.setAutoCommit(false);
        String insert = "INSERT INTO orders (item, amount, due) VALUES (?, ?, ?)";
        try (PreparedStatement one = db.prepareStatement(insert, Statement.RETURN_GENERATED_KEYS)) {
            one.setString(1, "cup");
            one.setBigDecimal(2, new java.math.BigDecimal("2.50"));
            one.setDate(3, java.sql.Date.valueOf("2024-01-01"));
            told.append(one.executeUpdate());
            try (ResultSet keys = one.getGeneratedKeys()) {
                keys.next();
                told.append(" key ").append(keys.getLong(1)).append('\n');
            }
            one.executeUpdate();
        } catch (SQLException error) {
            told.append(error.getErrorCode()).append(' ').append(error.getSQLState()).append(' ').append(error.getMessage()).append('\n');
        }
        try (PreparedStatement batch = db.prepareStatement("INSERT INTO ledger (order_id, amount) VALUES (?, ?)")) {
            for (int number = 1; number <= 3; number++) {
                batch.setInt(1, number);
                batch.setBigDecimal(2, new java.math.BigDecimal("1.25"));
                batch.addBatch();
            }
            told.append(Arrays.toString(batch.executeBatch())).append('\n');
        }
        try (var call = db.prepareCall("{call totals(?)}")) {
            call.setInt(1, 1);
            try (ResultSet rows = call.executeQuery()) {
                rows.next();
                told.append(shown(rows.getObject(1))).append(' ').append(shown(rows.getObject(2))).append('\n');
            }
        }
        db.commit();
        db.setAutoCommit(true);
    }

    private static String answer(HikariDataSource pool, String path, String sql) {
        StringBuilder told = new StringBuilder();
        try (Connection db = pool.getConnection()) {
            if (path.equals("/write/it")) {
                write(db, told);
            } else {
                ask(db, sql, told);
            }
        } catch (SQLException | RuntimeException error) {
            told.append("error: ").append(error);
        }
        // One driver tells the number of the connection, which is the server's own.
        return told.toString().replaceAll("conn=\\d+", "conn=…");
    }

    public static void main(String[] words) throws Exception {
        Map<String, String> env = System.getenv();
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl("jdbc:%s://%s:%s/%s?%s".formatted(words[1], env.get("DB_HOST"), env.get("DB_PORT"), env.get("DB_NAME"), words[2]));
        config.setUsername(env.get("DB_USER"));
        config.setPassword(env.get("DB_PASSWORD"));
        config.setMaximumPoolSize(Integer.parseInt(env.getOrDefault("POOL", "1")));
        // One line for each statement: "path", a tab, the SQL.
        Map<String, String> statements = Files.readAllLines(Path.of(words[3])).stream()
            .map(line -> line.split("\t", 2)).collect(Collectors.toMap(pair -> pair[0], pair -> pair[1]));
        HikariDataSource pool = new HikariDataSource(config);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            byte[] text = answer(pool, path, statements.get(path)).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
    }
}
