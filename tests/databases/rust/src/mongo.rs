//! The commands of the MongoDB corpus by its driver: replies as the driver read them, then what apps do with it.

use crate::{Driver, Failure, Told, env};
use futures_util::{StreamExt, TryStreamExt, future};
use mongodb::bson::{Bson, Document, doc, oid::ObjectId};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::{FindOneAndUpdateOptions, ReturnDocument, WriteConcern};
use mongodb::{Client, Collection, IndexModel};
use std::collections::{BTreeMap, HashMap};
use std::future::{Future, IntoFuture};
use std::pin::Pin;

const NOISE: [&str; 5] = ["$clusterTime", "operationTime", "localTime", "electionId", "opTime"];

pub(crate) struct Mongo {
    client: Client,
    known: HashMap<String, Vec<Document>>,
}

/// A document with the types of its values.
fn shown(value: impl Into<Bson>) -> String {
    value.into().into_canonical_extjson().to_string()
}

fn refused(error: &Error) -> Told {
    match error.kind.as_ref() {
        ErrorKind::Command(error) => Ok(format!("{} {} {}", error.code, error.code_name, error.message)),
        ErrorKind::Write(error) => Ok(format!("{error:?}")),
        ErrorKind::InsertMany(error) => {
            let each = error.write_errors.iter().flatten().map(|error| format!("{} {} {}", error.index, error.code, error.message));
            Ok(each.collect::<Vec<_>>().join("\n"))
        }
        _ => Err(error.to_string().into()),
    }
}

impl Mongo {
    pub(crate) async fn connect(text: &str) -> Result<Self, Failure> {
        let known: Bson = serde_json::from_str::<serde_json::Value>(text)?.try_into()?;
        let mut paths = HashMap::new();
        for (path, commands) in known.as_document().ok_or("the statements are no document")? {
            let commands = commands.as_array().ok_or("the commands are no list")?.iter().filter_map(Bson::as_document);
            paths.insert(path.clone(), commands.cloned().collect());
        }
        Ok(Self { client: Client::with_uri_str(env("MONGO_URL")?).await?, known: paths })
    }

    fn kinds(&self, name: &str) -> Collection<Document> {
        self.client.database("corpus").collection(name)
    }

    /// The replies; errors of the server count as replies.
    async fn run(&self, path: &str) -> Told {
        let mut lines = Vec::new();
        for command in self.known.get(path).ok_or("there are no such commands")? {
            match self.client.database("corpus").run_command(command.clone()).await {
                Ok(mut reply) => {
                    NOISE.iter().for_each(|key| {
                        reply.remove(key);
                    });
                    // Replies are read by name: the order of what stands outermost is nobody's concern.
                    let sorted: BTreeMap<_, _> = reply.into_iter().collect();
                    lines.push(shown(sorted.into_iter().collect::<Document>()));
                }
                Err(error) => lines.push(refused(&error)?),
            }
        }
        Ok(lines.join("\n"))
    }

    async fn crud(&self) -> Told {
        let kinds = self.kinds("crud");
        let id = kinds.insert_one(doc! {"item": "a", "n": 1}).await?.inserted_id;
        let done = kinds.update_one(doc! {"_id": id.clone()}, doc! {"$set": {"n": 2}}).await?;
        let mut lines = vec![format!("{} {}", done.matched_count, done.modified_count)];
        kinds.replace_one(doc! {"_id": id.clone()}, doc! {"item": "b", "about": id.clone()}).await?;
        lines.push(format!("{:?}", kinds.find_one(doc! {"about": id.clone()}).await?.map(shown)));
        let many = kinds.insert_many((0..3).map(|n| doc! {"n": n})).await?.inserted_ids;
        let ids: Vec<Bson> = (0..3).filter_map(|index| many.get(&index).cloned()).collect();
        lines.push(kinds.count_documents(doc! {"_id": {"$in": ids}}).await?.to_string());
        let options = FindOneAndUpdateOptions::builder().return_document(ReturnDocument::After).upsert(true).build();
        let found = kinds.find_one_and_update(doc! {"_id": 7}, doc! {"$inc": {"n": 1}}).with_options(options).await?;
        lines.push(format!("{:?}", found.map(shown)));
        lines.push(format!("{:?}", kinds.find_one_and_delete(doc! {"_id": 8}).await?.map(shown)));
        lines.push(format!("{:?}", kinds.distinct("n", doc! {}).await?.into_iter().map(shown).collect::<Vec<_>>()));
        lines.push(kinds.delete_many(doc! {}).await?.deleted_count.to_string());
        lines.push(shown(id));
        Ok(lines.join("\n"))
    }

    async fn cursor(&self) -> Told {
        let numbers: Collection<Document> = self.client.database("shop").collection("numbers");
        let found = numbers.find(doc! {"_id": {"$lt": 20}}).sort(doc! {"_id": 1}).batch_size(3).await?;
        let mut lines: Vec<String> = found.map_ok(shown).try_collect().await?;
        let groups = numbers.aggregate([doc! {"$sort": {"_id": -1}}, doc! {"$limit": 50}]).batch_size(20).await?;
        lines.push(groups.try_collect::<Vec<_>>().await?.len().to_string());
        let mut some = numbers.find(doc! {}).batch_size(2).await?;
        lines.push(some.try_next().await?.map(shown).unwrap_or_default());
        drop(some); // That kills it, in the background.
        let (counted, guessed) = (numbers.count_documents(doc! {"_id": {"$gt": 80}}), numbers.estimated_document_count());
        let both = future::try_join(counted.into_future(), guessed.into_future()).await?;
        lines.push(format!("{both:?}"));
        Ok(lines.join("\n"))
    }

    async fn transaction(&self) -> Told {
        let kinds = self.kinds("moves");
        kinds.delete_many(doc! {}).await?;
        let mut session = self.client.start_session().await?;
        session.start_transaction().await?;
        kinds.insert_one(doc! {"_id": 1}).session(&mut session).await?;
        kinds.update_one(doc! {"_id": 1}, doc! {"$set": {"v": 1}}).session(&mut session).await?;
        session.commit_transaction().await?;
        session.start_transaction().await?;
        kinds.insert_one(doc! {"_id": 2}).session(&mut session).await?;
        session.abort_transaction().await?;
        let mut found = kinds.find(doc! {}).session(&mut session).await?;
        let mut lines = Vec::new();
        while let Some(document) = found.next(&mut session).await {
            lines.push(shown(document?));
        }
        Ok(lines.join("\n"))
    }

    async fn bulk(&self) -> Told {
        let kinds = self.kinds("bulk");
        kinds.delete_many(doc! {}).await?;
        kinds.create_index(IndexModel::builder().keys(doc! {"code": 1}).build()).await?;
        let mut lines = vec![format!("{:?}", kinds.list_index_names().await?)];
        for ordered in [true, false] {
            let twice = [doc! {"_id": 1}, doc! {"_id": 1}, doc! {"_id": i32::from(ordered) + 2}];
            match kinds.insert_many(twice).ordered(ordered).await {
                Ok(done) => lines.push(done.inserted_ids.len().to_string()),
                Err(error) => lines.push(refused(&error)?),
            }
        }
        lines.push(kinds.count_documents(doc! {}).await?.to_string());
        kinds.drop().await?;
        Ok(lines.join("\n"))
    }

    async fn unacknowledged(&self) -> Told {
        let log = self.kinds("log");
        log.insert_one(doc! {"_id": 1}).write_concern(WriteConcern::nodes(0)).await?;
        Ok("sent".to_owned())
    }

    async fn watch(&self) -> Told {
        let kinds = self.kinds("watched");
        kinds.delete_many(doc! {}).await?;
        let mut events = kinds.watch().await?;
        let id = ObjectId::new();
        kinds.insert_one(doc! {"_id": id, "v": 1}).await?;
        let event = events.next().await.ok_or("the stream has ended")??;
        Ok(format!("{:?} {} {}", event.operation_type, event.document_key.map(shown).unwrap_or_default(), event.full_document.map(shown).unwrap_or_default()))
    }
}

impl Driver for Mongo {
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>> {
        Box::pin(async move {
            match path {
                "/api/crud" => self.crud().await,
                "/api/cursor" => self.cursor().await,
                "/api/transaction" => self.transaction().await,
                "/api/bulk" => self.bulk().await,
                "/api/unacknowledged" => self.unacknowledged().await,
                "/api/watch" => self.watch().await,
                _ => self.run(path).await,
            }
        })
    }
}
