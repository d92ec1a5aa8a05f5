// The commands of corpus.py by the Java driver: an app whose every answer is what the driver understood.
//
//     java -cp 'lib/*' Corpus.java PORT STATEMENTS
//
// STATEMENTS is a file of Extended JSON that maps the path of a request to commands. The server is
// named by MONGO_URL.

import com.mongodb.MongoCommandException;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoCursor;
import com.mongodb.client.model.BulkWriteOptions;
import com.mongodb.client.model.DeleteOneModel;
import com.mongodb.client.model.InsertOneModel;
import com.mongodb.client.model.UpdateOneModel;
import com.mongodb.client.model.UpdateOptions;
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.bson.BsonDocument;
import org.bson.BsonValue;
import org.bson.Document;
import org.bson.json.JsonMode;
import org.bson.json.JsonWriterSettings;
import org.bson.types.ObjectId;

public final class Corpus {
    private static final List<String> NOISE = List.of("$clusterTime", "operationTime", "localTime", "electionId", "opTime");
    private static MongoClient client;

    /** The replies; errors of the server count as replies. */
    private static List<BsonDocument> run(List<BsonValue> commands) {
        List<BsonDocument> told = new ArrayList<>();
        for (BsonValue command : commands) {
            BsonDocument reply;
            try {
                reply = client.getDatabase("corpus").runCommand(command.asDocument(), BsonDocument.class);
            } catch (MongoCommandException error) {
                reply = error.getResponse();
            }
            BsonDocument kept = reply.clone();
            NOISE.forEach(kept::remove);
            told.add(kept);
        }
        return told;
    }

    private static MongoCollection<Document> kinds(String name) {
        return client.getDatabase("corpus").getCollection(name);
    }

    private static Object crud() {
        MongoCollection<Document> kinds = kinds("crud");
        BsonValue number = kinds.insertOne(new Document("item", "a").append("n", 1)).getInsertedId();
        kinds.updateOne(new Document("_id", number), new Document("$set", new Document("n", 2L)));
        kinds.replaceOne(new Document("_id", number), new Document("item", "b").append("about", number));
        Document found = kinds.find(new Document("about", number)).first();
        List<Document> many = List.of(new Document("n", 0), new Document("n", 1));
        kinds.insertMany(many);
        List<ObjectId> made = many.stream().map(one -> one.getObjectId("_id")).toList();
        long count = kinds.countDocuments(new Document("_id", new Document("$in", made)));
        return List.of(number, found.get("item"), made.get(1), count, kinds.deleteMany(new Document()).getDeletedCount());
    }

    private static Object cursor() {
        MongoCollection<Document> numbers = client.getDatabase("shop").getCollection("numbers");
        List<Document> found = numbers.find(new Document("_id", new Document("$lt", 20)))
            .sort(new Document("_id", 1)).batchSize(3).into(new ArrayList<>());
        try (MongoCursor<Document> some = numbers.find().batchSize(2).iterator()) {
            found.add(some.next()); // Closing it early kills it.
        }
        return found;
    }

    private static Object transaction() {
        MongoCollection<Document> kinds = kinds("moves");
        kinds.deleteMany(new Document());
        try (ClientSession session = client.startSession()) {
            session.withTransaction(() -> {
                kinds.insertOne(session, new Document("_id", 1));
                return kinds.updateOne(session, new Document("_id", 1), new Document("$set", new Document("v", 1)));
            });
            session.startTransaction();
            kinds.insertOne(session, new Document("_id", 2));
            session.abortTransaction();
        }
        return kinds.countDocuments();
    }

    private static Object bulk() {
        MongoCollection<Document> kinds = kinds("bulk");
        kinds.deleteMany(new Document());
        List<Object> told = new ArrayList<>();
        for (boolean ordered : new boolean[] {true, false}) {
            var done = kinds.bulkWrite(List.of(
                new InsertOneModel<>(new Document("_id", 1)), new InsertOneModel<>(new Document("v", 2)),
                new UpdateOneModel<>(new Document("_id", 9), new Document("$set", new Document("v", 1)), new UpdateOptions().upsert(true)),
                new DeleteOneModel<>(new Document("_id", 1))), new BulkWriteOptions().ordered(ordered));
            told.addAll(List.of(done.getInsertedCount(), done.getUpserts().size(), done.getMatchedCount(), done.getDeletedCount()));
        }
        return told;
    }

    private static Object unacknowledged() {
        kinds("log").withWriteConcern(WriteConcern.UNACKNOWLEDGED).insertOne(new Document("_id", 1));
        return "sent";
    }

    private static Object watch() {
        MongoCollection<Document> kinds = kinds("watched");
        try (var stream = kinds.watch().cursor()) {
            BsonValue number = kinds.insertOne(new Document("v", 1)).getInsertedId();
            var event = stream.next();
            return List.of(event.getOperationType().getValue(), event.getDocumentKey(), number);
        }
    }

    public static void main(String[] words) throws Exception {
        BsonDocument known = BsonDocument.parse(Files.readString(Path.of(words[1])));
        client = MongoClients.create(System.getenv("MONGO_URL"));
        Map<String, Callable<Object>> api = Map.of("crud", Corpus::crud, "cursor", Corpus::cursor, "transaction", Corpus::transaction,
            "bulk", Corpus::bulk, "unacknowledged", Corpus::unacknowledged, "watch", Corpus::watch);
        JsonWriterSettings exact = JsonWriterSettings.builder().outputMode(JsonMode.EXTENDED).build();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(words[0])), 0);
        server.setExecutor(Executors.newFixedThreadPool(2));
        server.createContext("/", exchange -> {
            String path = exchange.getRequestURI().getPath();
            byte[] text;
            int status = 200;
            try {
                Callable<Object> act = api.get(path.replace("/api/", ""));
                Object told = act != null ? act.call() : run(known.getArray(path).getValues());
                text = new Document("told", told).toJson(exact).getBytes(StandardCharsets.UTF_8);
            } catch (Exception error) {
                status = 500;
                text = ("failed: " + error).getBytes(StandardCharsets.UTF_8);
            }
            exchange.getResponseHeaders().set("content-type", "application/json");
            exchange.sendResponseHeaders(status, text.length);
            exchange.getResponseBody().write(text);
            exchange.close();
        });
        server.start();
    }
}
