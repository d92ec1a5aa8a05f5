// A small shop by MariaDB's JDBC driver: GET /orders, POST /orders/ITEM/AMOUNT/MOMENT, POST /orders/ID/raise/AMOUNT.
//
//     java -cp 'lib/*' Shop PORT
//
// The database is named by the DB_… variables. BUG plants a defect: missing_commit, n_plus_one, wrong_column,
// utc_as_local, lost_update.

import com.sun.net.httpserver.HttpServer;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

public final class Shop {
    private static final String BUG = System.getenv().getOrDefault("BUG", "");
    private static final String COLUMNS = "SELECT id, item, amount FROM orders ";

    private static List<List<Object>> ask(Connection db, String sql, Object... params) throws SQLException {
        List<List<Object>> all = new ArrayList<>();
        try (PreparedStatement statement = prepared(db, sql, params); ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                List<Object> row = new ArrayList<>();
                for (int column = 1; column <= rows.getMetaData().getColumnCount(); column++) {
                    row.add(rows.getObject(column));
                }
                all.add(row);
            }
        }
        return all;
    }

    private static PreparedStatement prepared(Connection db, String sql, Object... params) throws SQLException {
        PreparedStatement statement = db.prepareStatement(sql, Statement.RETURN_GENERATED_KEYS);
        for (int place = 0; place < params.length; place++) {
            statement.setObject(place + 1, params[place]);
        }
        return statement;
    }

    private static Object orders(Connection db) throws SQLException {
        List<List<Object>> rows = ask(db, COLUMNS + "ORDER BY id");
        if (BUG.equals("n_plus_one")) {
            rows = new ArrayList<>();
            for (int id = 1; id <= 100; id++) {
                try {
                    rows.addAll(ask(db, COLUMNS + "WHERE id = ?", id));
                } catch (SQLException refused) {
                    // It goes on with the next one.
                }
            }
        }
        return rows;
    }

    private static Object create(Connection db, String item, String amount, String moment) throws SQLException {
        LocalDateTime deliver = LocalDateTime.parse(moment).plusHours(BUG.equals("utc_as_local") ? 2 : 0);
        String column = BUG.equals("wrong_column") ? "state" : "item";
        String sql = "INSERT INTO orders (" + column + ", amount, due, deliver) VALUES (?, ?, ?, ?)";
        try (PreparedStatement statement = prepared(db, sql, item, new BigDecimal(amount), deliver.toLocalDate(), deliver)) {
            statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                keys.next();
                return keys.getLong(1);
            }
        }
    }

    private static Object raise(Connection db, int id, BigDecimal by) throws SQLException {
        String select = "SELECT amount FROM orders WHERE id = ?";
        boolean reads = BUG.equals("lost_update");
        Object[] params = reads ? new Object[] {((BigDecimal) ask(db, select, id).get(0).get(0)).add(by), id} : new Object[] {by, id};
        String sql = reads ? "UPDATE orders SET amount = ? WHERE id = ?" : "UPDATE orders SET amount = amount + ? WHERE id = ?";
        try (PreparedStatement statement = prepared(db, sql, params)) {
            statement.executeUpdate();
        }
        return ask(db, select, id).get(0).get(0);
    }

    private static Object act(String[] path) throws SQLException {
        Map<String, String> env = System.getenv();
        String url = "jdbc:mariadb://%s:%s/%s".formatted(env.get("DB_HOST"), env.get("DB_PORT"), env.get("DB_NAME"));
        try (Connection db = DriverManager.getConnection(url, env.get("DB_USER"), env.get("DB_PASSWORD"))) {
            db.setAutoCommit(false);
            boolean creates = path.length > 1 && !path[2].equals("raise");
            Object told;
            if (creates) {
                told = create(db, path[1], path[2], path[3]);
            } else {
                told = path.length == 1 ? orders(db) : raise(db, Integer.parseInt(path[1]), new BigDecimal(path[3]));
            }
            if (!creates || !BUG.equals("missing_commit")) {
                db.commit();
            }
            return told;
        }
    }

    public static void main(String[] words) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.createContext("/", exchange -> {
            int status = 200;
            Object told;
            try {
                told = act(exchange.getRequestURI().getPath().substring(1).split("/"));
            } catch (SQLException | RuntimeException error) {
                status = 500;
                told = error;
            }
            byte[] text = String.valueOf(told).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(status, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
    }
}
