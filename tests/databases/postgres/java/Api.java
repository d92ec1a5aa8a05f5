// What the JDBC driver can do beside reading values: parameters of newer types, generated keys, errors, savepoints,
// copying, large objects, functions, notifications.

import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.sql.Types;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;
import org.postgresql.PGConnection;
import org.postgresql.PGNotification;
import org.postgresql.copy.CopyManager;
import org.postgresql.largeobject.LargeObject;
import org.postgresql.largeobject.LargeObjectManager;
import org.postgresql.util.PGobject;
import org.postgresql.util.PSQLException;

final class Api {
    private interface Act {
        Object tell() throws Exception;
    }

    private final Connection db;
    private final List<String> lines = new ArrayList<>();

    private Api(Connection db) {
        this.db = db;
    }

    /** Notes what an act comes to; what the server said of an error is told. */
    private void note(Act act) throws Exception {
        try {
            lines.add(String.valueOf(act.tell()));
        } catch (PSQLException error) {
            var said = error.getServerErrorMessage();
            lines.add(error.getSQLState() + " " + (said == null ? error.getMessage() : said.getMessage() + " " + said.getConstraint()));
        }
    }

    /** The rows of a query with parameters. */
    private List<String> ask(String sql, Object... params) throws SQLException {
        try (PreparedStatement statement = db.prepareStatement(sql)) {
            for (int place = 0; place < params.length; place++) {
                statement.setObject(place + 1, params[place]);
            }
            return rows(statement.executeQuery());
        }
    }

    private static List<String> rows(ResultSet rows) throws SQLException {
        List<String> told = new ArrayList<>();
        while (rows.next()) {
            told.add(rows.getString(1));
        }
        return told;
    }

    private int run(String sql) throws SQLException {
        try (Statement statement = db.createStatement()) {
            return statement.executeUpdate(sql);
        }
    }

    private void params() throws Exception {
        note(() -> ask("SELECT ?::uuid", UUID.fromString("0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0")));
        note(() -> ask("SELECT ?::date + 1", LocalDate.of(2024, 2, 28)));
        note(() -> ask("SELECT ?::timestamp", LocalDateTime.of(2024, 5, 6, 10, 0, 0, 5000)));
        note(() -> ask("SELECT ?::timestamptz AT TIME ZONE 'UTC'", OffsetDateTime.parse("2024-05-06T10:00:00+02:00")));
        note(() -> ask("SELECT item FROM orders WHERE item = ANY(?) ORDER BY id", db.createArrayOf("text", new String[] {"pen", "book"})));
        PGobject document = new PGobject();
        document.setType("jsonb");
        document.setValue("{\"a\": [1, 2]}");
        note(() -> ask("SELECT ?::jsonb -> 'a'", document));
        note(() -> db.createStatement().executeQuery("SELECT 1").getMetaData().getColumnTypeName(1));
        note(() -> db.getMetaData().getTables(null, "public", "orders", null).next());
    }

    private void keys() throws Exception {
        String sql = "INSERT INTO orders (item, amount, due) VALUES (?, ?, '2024-01-01')";
        try (PreparedStatement statement = db.prepareStatement(sql, new String[] {"id", "paid"})) {
            for (String item : List.of("cap", "tie")) {
                statement.setString(1, item);
                statement.setBigDecimal(2, new BigDecimal("3.25"));
                statement.addBatch();
            }
            note(() -> Arrays.toString(statement.executeBatch()));
            note(() -> rows(statement.getGeneratedKeys()).size());
        }
        note(() -> run("DELETE FROM orders WHERE item IN ('cap', 'tie')"));
    }

    private void errors() throws Exception {
        note(() -> run("INSERT INTO orders (item, amount, due) VALUES ('pen', 1, '2024-01-01')"));
        note(() -> ask("SELECT nothing FROM orders"));
        note(() -> ask("SELECT 1 / (id - 2) FROM orders WHERE id < ? ORDER BY id", 9));
        try (PreparedStatement batch = db.prepareStatement("INSERT INTO ledger VALUES (?, 1 / ?)")) {
            for (int number : new int[] {1, 0, 2}) {
                batch.setInt(1, number);
                batch.setInt(2, number);
                batch.addBatch();
            }
            note(() -> {
                try {
                    return Arrays.toString(batch.executeBatch());
                } catch (java.sql.BatchUpdateException error) {
                    return Arrays.toString(error.getUpdateCounts()) + " " + error.getSQLState();
                }
            });
        }
        note(() -> ask("SELECT count(*) FROM ledger"));
    }

    private void savepoint() throws Exception {
        db.setAutoCommit(false);
        db.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
        note(() -> run("INSERT INTO ledger VALUES (7, 7.5)"));
        Savepoint here = db.setSavepoint("here");
        note(() -> ask("SELECT nothing FROM orders"));
        db.rollback(here);
        note(() -> ask("SELECT amount FROM ledger"));
        db.releaseSavepoint(here);
        db.rollback();
        db.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
        note(() -> ask("SELECT count(*) FROM ledger"));
        db.rollback();
        db.setAutoCommit(true);
    }

    private void copy() throws Exception {
        CopyManager copies = db.unwrap(PGConnection.class).getCopyAPI();
        note(() -> copies.copyIn("COPY ledger FROM STDIN WITH (FORMAT csv)", new StringReader("1,1.5\n2,2.5\n")));
        note(() -> copies.copyIn("COPY ledger FROM STDIN WITH (FORMAT csv)", new StringReader("3,no amount\n")));
        StringWriter out = new StringWriter();
        note(() -> copies.copyOut("COPY (SELECT * FROM ledger ORDER BY 1) TO STDOUT", out));
        note(out::toString);
        note(() -> run("DELETE FROM ledger"));
    }

    private void large() throws Exception {
        db.setAutoCommit(false);
        LargeObjectManager objects = db.unwrap(PGConnection.class).getLargeObjectAPI();
        long number = objects.createLO(LargeObjectManager.READWRITE);
        try (LargeObject object = objects.open(number, LargeObjectManager.READWRITE)) {
            object.write("some text".getBytes());
            object.seek(5);
            note(() -> new String(object.read(4)));
            note(object::size64);
            object.truncate(4);
            note(object::size);
        }
        objects.delete(number);
        db.rollback();
        db.setAutoCommit(true);
    }

    private void call() throws Exception {
        try (CallableStatement statement = db.prepareCall("{? = call upper(?)}")) {
            statement.registerOutParameter(1, Types.VARCHAR);
            statement.setString(2, "pen");
            note(statement::execute);
            note(() -> statement.getString(1));
        }
        try (Statement statement = db.createStatement()) {
            note(() -> statement.execute("SELECT 1; UPDATE orders SET paid = paid; SELECT 'last'"));
            note(statement::getMoreResults);
            note(statement::getUpdateCount);
            note(statement::getMoreResults);
            note(() -> rows(statement.getResultSet()));
            statement.execute("DO $$ BEGIN RAISE WARNING 'two'; END $$");
            note(() -> statement.getWarnings().getMessage());
        }
    }

    private void hear() throws Exception {
        note(() -> run("LISTEN news"));
        for (String text : List.of("one", "two")) {
            note(() -> ask("SELECT pg_notify('news', ?)", text));
            PGNotification[] heard = db.unwrap(PGConnection.class).getNotifications(60_000);
            note(() -> Arrays.stream(heard).map(PGNotification::getParameter).toList());
        }
        note(() -> run("UNLISTEN news"));
    }

    /** What a path below /api/ is answered with. */
    static String tell(DataSource pool, String path) {
        try (Connection db = pool.getConnection()) {
            Api api = new Api(db);
            switch (path) {
                case "params" -> api.params();
                case "keys" -> api.keys();
                case "errors" -> api.errors();
                case "savepoint" -> api.savepoint();
                case "copy" -> api.copy();
                case "large" -> api.large();
                case "call" -> api.call();
                default -> api.hear();
            }
            return String.join("\n", api.lines);
        } catch (Exception error) {
            return "error: " + error;
        }
    }
}
