//! The commands of the Redis corpus by the crate `redis`: replies as the driver read them, then what apps do with it, by one
//! connection that many share, in either version of the protocol.

use crate::{Driver, Failure, Told, env, shown};
use futures_util::{StreamExt, future};
use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, AsyncConnectionConfig, Client, Cmd, ErrorKind, IntoConnectionInfo, ProtocolVersion, PushInfo, PushKind, RedisError, Script, Value};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use tokio::sync::mpsc;

pub(crate) struct Redis {
    client: Client,
    db: MultiplexedConnection,
    heard: mpsc::UnboundedReceiver<PushInfo>,
    groups: HashMap<String, Vec<Cmd>>,
    version: String,
}

/// A reply as text that is the same in every run, whatever the order of sets and maps.
fn told(value: &Value) -> String {
    let list = |kind: &str, values: &[Value]| format!("{kind}[{}]", values.iter().map(told).collect::<Vec<_>>().join(", "));
    match value {
        Value::BulkString(bytes) => format!("text {}", shown(bytes)),
        Value::Array(values) => list("", values),
        Value::Set(values) => {
            let mut lines: Vec<String> = values.iter().map(told).collect();
            lines.sort();
            format!("set{lines:?}")
        }
        Value::Map(pairs) => {
            let mut lines: Vec<String> = pairs.iter().map(|(key, value)| format!("{}: {}", told(key), told(value))).collect();
            lines.sort();
            format!("map{lines:?}")
        }
        Value::Push { kind, data } => list(&kind.to_string(), data),
        Value::ServerError(error) => format!("error {} {:?}", error.code(), error.details()),
        other => format!("{other:?}"),
    }
}

fn refused(error: &RedisError) -> String {
    if error.kind() == ErrorKind::Io {
        return "no answer".to_owned();
    }
    format!("error {:?} {:?}", error.code(), error.detail())
}

fn outcome(result: &Result<Value, RedisError>) -> String {
    result.as_ref().map_or_else(refused, told)
}

fn command(words: &str) -> Result<Cmd, Failure> {
    let mut command = Cmd::new();
    for word in words.split(' ') {
        let digits = (0..word.len()).step_by(2).map(|at| u8::from_str_radix(&word[at..at + 2], 16));
        command.arg(digits.collect::<Result<Vec<_>, _>>()?);
    }
    Ok(command)
}

impl Redis {
    pub(crate) async fn connect(version: &str, text: &str) -> Result<Self, Failure> {
        let info = env("REDIS_URL")?.into_connection_info()?;
        let protocol = if version == "3" { ProtocolVersion::RESP3 } else { ProtocolVersion::RESP2 };
        let settings = info.redis_settings().clone().set_protocol(protocol);
        let client = Client::open(info.set_redis_settings(settings))?;
        let (heard_tx, heard) = mpsc::unbounded_channel();
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let config = if version == "3" { config.set_push_sender(heard_tx) } else { config };
        let db = client.get_multiplexed_async_connection_with_config(&config).await?;
        let groups = crate::pairs(text).into_iter().map(|(name, lines)| Ok((name, lines.iter().map(|line| command(line)).collect::<Result<_, Failure>>()?)));
        let groups = groups.collect::<Result<_, Failure>>()?;
        Ok(Self { client, db, heard, groups, version: version.to_owned() })
    }

    fn group(&self, name: &str) -> Result<&[Cmd], Failure> {
        Ok(self.groups.get(name).ok_or("there is no such group")?)
    }

    async fn run(&self, name: &str) -> Told {
        let (mut db, mut lines) = (self.db.clone(), Vec::new());
        for command in self.group(name)? {
            lines.push(outcome(&db.send_packed_command(command).await));
        }
        Ok(lines.join("\n"))
    }

    /// Commands that are sent together, in a transaction or not.
    async fn pipeline(&self, name: &str, atomic: bool) -> Told {
        let mut pipe = redis::pipe();
        if atomic {
            pipe.atomic();
        }
        pipe.ignore_errors();
        self.group(name)?.iter().for_each(|command| {
            pipe.add_command(command.clone());
        });
        let replies: Result<Vec<Value>, _> = pipe.query_async(&mut self.db.clone()).await;
        Ok(replies.map_or_else(|error| refused(&error), |replies| replies.iter().map(told).collect::<Vec<_>>().join("\n")))
    }

    /// Commands of many that share the connection.
    async fn parallel(&self, name: &str) -> Told {
        let each = self.group(name)?.iter().map(|command| {
            let mut db = self.db.clone();
            async move { outcome(&db.send_packed_command(command).await) }
        });
        Ok(future::join_all(each).await.join("\n"))
    }

    async fn messages(&mut self) -> Told {
        if self.version == "3" { self.pushes().await } else { self.listener().await }
    }

    /// What a connection of its own hears.
    async fn listener(&self) -> Told {
        let (mut db, mut listener, mut lines) = (self.db.clone(), self.client.get_async_pubsub().await?, Vec::new());
        listener.subscribe(&["a", "b"]).await?;
        listener.psubscribe("c.*").await?;
        for (channel, text) in [("a", &b"one"[..]), ("c.d", &b"\x00\xff"[..]), ("b", &b""[..])] {
            lines.push(db.publish::<_, _, i64>(channel, text).await?.to_string());
            let heard = listener.on_message().next().await.ok_or("the connection has ended")?;
            lines.push(format!("{} {} {:?}", heard.get_channel_name(), shown(heard.get_payload_bytes()), heard.get_pattern::<Option<String>>()?));
        }
        lines.push(listener.ping_message::<String>("still here").await?);
        listener.unsubscribe("a").await?;
        lines.push(db.publish::<_, _, i64>("a", "nobody").await?.to_string());
        Ok(lines.join("\n"))
    }

    /// What the connection that sends commands, too, is told between its replies.
    async fn pushes(&mut self) -> Told {
        let (mut db, mut lines) = (self.db.clone(), Vec::new());
        db.subscribe("a").await?;
        db.psubscribe("c.*").await?;
        for (channel, text) in [("a", &b"one"[..]), ("c.d", &b"\x00\xff"[..]), ("a", &b""[..])] {
            lines.push(db.publish::<_, _, i64>(channel, text).await?.to_string());
        }
        db.unsubscribe("a").await?;
        db.punsubscribe("c.*").await?;
        redis::cmd("CLIENT").arg(&["TRACKING", "ON"]).exec_async(&mut db).await?;
        lines.push(outcome(&redis::cmd("GET").arg("tracked").query_async(&mut db).await));
        lines.push(outcome(&redis::cmd("SET").arg(&["tracked", "1"]).query_async(&mut db).await));
        redis::cmd("CLIENT").arg(&["TRACKING", "OFF"]).exec_async(&mut db).await?;
        // Two that say that it listens, three messages, two that say that it does not, and what is stale.
        while lines.len() < 13 {
            let PushInfo { kind, data } = self.heard.recv().await.ok_or("the connection has ended")?;
            let unsure = kind == PushKind::Invalidate;
            lines.push(format!("{}{kind} {}", if unsure { "~" } else { "" }, data.iter().map(told).collect::<Vec<_>>().join(", ")));
        }
        Ok(lines.join("\n"))
    }

    /// A script that the server learns when it is first asked for, and one that fails.
    async fn scripts(&self) -> Told {
        let mut db = self.db.clone();
        let script = Script::new("redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], 7, {false, ARGV[2]}}");
        let mut lines = Vec::new();
        for text in ["one", "two"] {
            lines.push(outcome(&script.key("scripted").arg(text).arg(b"\x00\xff").invoke_async(&mut db).await));
        }
        lines.push(outcome(&Script::new("return redis.call('INCR', KEYS[1])").key("scripted").invoke_async(&mut db).await));
        lines.push(script.load_async(&mut db).await?);
        Ok(lines.join("\n"))
    }

    /// A queue that is waited for on a connection while another fills it; a watched key; a walk through all keys.
    async fn blocking(&self) -> Told {
        let (mut db, mut other) = (self.db.clone(), self.client.get_multiplexed_async_connection_with_config(&AsyncConnectionConfig::new().set_response_timeout(None)).await?);
        let take = async { outcome(&redis::cmd("BLPOP").arg(&["jobs", "30"]).query_async(&mut other).await) };
        let mut giver = db.clone();
        let give = async { outcome(&redis::cmd("RPUSH").arg(&["jobs", "mail"]).query_async(&mut giver).await) };
        let (taken, _) = future::join(take, give).await;
        let mut lines = vec![taken];
        redis::cmd("WATCH").arg("watched").exec_async(&mut other).await?;
        db.set::<_, _, ()>("watched", 1).await?;
        let missed: Value = redis::pipe().atomic().cmd("SET").arg("watched").arg(2).query_async(&mut other).await?;
        lines.push(told(&missed));
        for number in 0..30 {
            db.set::<_, _, ()>(format!("walk:{number}"), number).await?;
        }
        let found: Vec<String> = db.scan_match::<_, String>("walk:*").await?.collect::<Vec<_>>().await.into_iter().collect::<Result<_, _>>()?;
        lines.push(found.len().to_string());
        let (text, number, none): (String, i64, Option<String>) = (db.get("walk:3").await?, db.get("walk:4").await?, db.get("nobody").await?);
        lines.push(format!("{text} {number} {none:?}"));
        Ok(lines.join("\n"))
    }
}

impl Driver for Redis {
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>> {
        Box::pin(async move {
            match path.trim_matches('/').split_once('/') {
                Some(("run", name)) => self.run(name).await,
                Some(("pipeline", name)) => self.pipeline(name, false).await,
                Some(("transaction", name)) => self.pipeline(name, true).await,
                Some(("parallel", name)) => self.parallel(name).await,
                Some(("messages", _)) => self.messages().await,
                Some(("api", "scripts")) => self.scripts().await,
                Some(("api", "blocking")) => self.blocking().await,
                _ => Err(format!("there is no {path}").into()),
            }
        })
    }
}
