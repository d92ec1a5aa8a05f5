// The commands of corpus.py by Go's driver: an app whose every answer is what the driver understood.
//
//	corpus PORT STATEMENTS
//
// STATEMENTS is a file of Extended JSON that maps the path of a request to commands. The server is
// named by MONGO_URL.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/writeconcern"
)

type doc = bson.D

var noise = []string{"$clusterTime", "operationTime", "localTime", "electionId", "opTime"}

func one(key string, value any) doc { return doc{{Key: key, Value: value}} }

// run sends commands; errors of the server count as replies.
func run(ctx context.Context, db *mongo.Database, commands bson.A) (any, error) {
	told := bson.A{}
	for _, command := range commands {
		var reply doc
		err := db.RunCommand(ctx, command).Decode(&reply)
		var refused mongo.CommandError
		if errors.As(err, &refused) {
			err = bson.Unmarshal(refused.Raw, &reply)
		}
		var writes mongo.WriteException
		if errors.As(err, &writes) {
			err = bson.Unmarshal(writes.Raw, &reply)
		}
		if err != nil {
			return nil, err
		}
		told = append(told, slices.DeleteFunc(reply, func(e bson.E) bool { return slices.Contains(noise, e.Key) }))
	}
	return told, nil
}

func crud(ctx context.Context, client *mongo.Client) (any, error) {
	kinds := client.Database("corpus").Collection("crud")
	made, err := kinds.InsertOne(ctx, doc{{Key: "item", Value: "a"}, {Key: "n", Value: 1}})
	if err != nil {
		return nil, err
	}
	number := made.InsertedID
	if _, err := kinds.UpdateOne(ctx, one("_id", number), one("$set", one("n", 2))); err != nil {
		return nil, err
	}
	if _, err := kinds.ReplaceOne(ctx, one("_id", number), doc{{Key: "item", Value: "b"}, {Key: "about", Value: number}}); err != nil {
		return nil, err
	}
	var found doc
	if err := kinds.FindOne(ctx, one("about", number)).Decode(&found); err != nil {
		return nil, err
	}
	many, err := kinds.InsertMany(ctx, []any{one("n", 0), one("n", 1)})
	if err != nil {
		return nil, err
	}
	count, err := kinds.CountDocuments(ctx, one("_id", one("$in", many.InsertedIDs)))
	if err != nil {
		return nil, err
	}
	gone, err := kinds.DeleteMany(ctx, doc{})
	return bson.A{number, found[1], many.InsertedIDs[1], count, gone.DeletedCount}, err
}

func cursor(ctx context.Context, client *mongo.Client) (any, error) {
	numbers := client.Database("shop").Collection("numbers")
	found, err := numbers.Find(ctx, one("_id", one("$lt", 20)), options.Find().SetSort(one("_id", 1)).SetBatchSize(3))
	if err != nil {
		return nil, err
	}
	told := []doc{}
	if err := found.All(ctx, &told); err != nil {
		return nil, err
	}
	some, err := numbers.Find(ctx, doc{}, options.Find().SetBatchSize(2))
	if err != nil {
		return nil, err
	}
	some.Next(ctx)
	return bson.A{told, some.Current.Lookup("_id")}, some.Close(ctx) // Closing it early kills it.
}

func transaction(ctx context.Context, client *mongo.Client) (any, error) {
	kinds := client.Database("corpus").Collection("moves")
	if _, err := kinds.DeleteMany(ctx, doc{}); err != nil {
		return nil, err
	}
	session, err := client.StartSession()
	if err != nil {
		return nil, err
	}
	defer session.EndSession(ctx)
	_, err = session.WithTransaction(ctx, func(ctx context.Context) (any, error) {
		if _, err := kinds.InsertOne(ctx, one("_id", 1)); err != nil {
			return nil, err
		}
		return kinds.UpdateOne(ctx, one("_id", 1), one("$set", one("v", 1)))
	})
	if err != nil {
		return nil, err
	}
	if err := session.StartTransaction(); err != nil {
		return nil, err
	}
	if _, err := kinds.InsertOne(mongo.NewSessionContext(ctx, session), one("_id", 2)); err != nil {
		return nil, err
	}
	if err := session.AbortTransaction(ctx); err != nil {
		return nil, err
	}
	return kinds.CountDocuments(ctx, doc{})
}

func bulk(ctx context.Context, client *mongo.Client) (any, error) {
	kinds := client.Database("corpus").Collection("bulk")
	if _, err := kinds.DeleteMany(ctx, doc{}); err != nil {
		return nil, err
	}
	told := bson.A{}
	for _, ordered := range []bool{true, false} {
		done, err := kinds.BulkWrite(ctx, []mongo.WriteModel{
			mongo.NewInsertOneModel().SetDocument(one("_id", 1)),
			mongo.NewInsertOneModel().SetDocument(one("v", 2)),
			mongo.NewUpdateOneModel().SetFilter(one("_id", 9)).SetUpdate(one("$set", one("v", 1))).SetUpsert(true),
			mongo.NewDeleteOneModel().SetFilter(one("_id", 1)),
		}, options.BulkWrite().SetOrdered(ordered))
		if err != nil {
			return nil, err
		}
		told = append(told, done.InsertedCount, done.UpsertedCount, done.MatchedCount, done.DeletedCount)
	}
	return told, nil
}

func unacknowledged(ctx context.Context, client *mongo.Client) (any, error) {
	log := client.Database("corpus").Collection("log", options.Collection().SetWriteConcern(writeconcern.Unacknowledged()))
	if _, err := log.InsertOne(ctx, one("_id", 1)); err != nil {
		return nil, err
	}
	return "sent", nil
}

func watch(ctx context.Context, client *mongo.Client) (any, error) {
	kinds := client.Database("corpus").Collection("watched")
	stream, err := kinds.Watch(ctx, bson.A{})
	if err != nil {
		return nil, err
	}
	defer stream.Close(ctx)
	made, err := kinds.InsertOne(ctx, one("v", 1))
	if err != nil {
		return nil, err
	}
	stream.Next(ctx)
	told := bson.A{stream.Current.Lookup("operationType"), stream.Current.Lookup("documentKey"), made.InsertedID}
	return told, stream.Err()
}

var api = map[string]func(context.Context, *mongo.Client) (any, error){
	"crud": crud, "cursor": cursor, "transaction": transaction, "bulk": bulk, "unacknowledged": unacknowledged, "watch": watch,
}

func main() {
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		panic(err)
	}
	var known map[string]bson.A
	if err := bson.UnmarshalExtJSON(text, false, &known); err != nil {
		panic(err)
	}
	client, err := mongo.Connect(options.Client().ApplyURI(os.Getenv("MONGO_URL")))
	if err != nil {
		panic(err)
	}
	http.HandleFunc("/", func(out http.ResponseWriter, request *http.Request) {
		var told any
		var err error
		if name, is := strings.CutPrefix(request.URL.Path, "/api/"); is {
			told, err = api[name](request.Context(), client)
		} else {
			told, err = run(request.Context(), client.Database("corpus"), known[request.URL.Path])
		}
		answer, failed := bson.MarshalExtJSON(one("told", told), true, false)
		if err = errors.Join(err, failed); err != nil {
			http.Error(out, fmt.Sprint("failed: ", err), http.StatusInternalServerError)
			return
		}
		out.Header().Set("content-type", "application/json")
		out.Write(answer)
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Args[1], nil))
}
