//! The services that the sample shop depends on: an inventory and a payment provider. They answer
//! by their input alone, so that two recordings of the same traffic are equal.

use super::http::{Answered, Asked, serve};
use hyper::Method;
use rehearsal_model::{Map, Value};
use std::io;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The two services on free ports. They stop when this is dropped.
pub(crate) struct Services {
    /// `http://127.0.0.1:<port>` of the inventory.
    pub(crate) inventory: String,
    /// The same of the payment provider.
    pub(crate) payments: String,
    tasks: Vec<JoinHandle<()>>,
}

impl Services {
    pub(crate) async fn start() -> io::Result<Self> {
        let (inventory, payments) =
            (TcpListener::bind("127.0.0.1:0").await?, TcpListener::bind("127.0.0.1:0").await?);
        let url = |listener: &TcpListener| {
            listener.local_addr().map(|address| format!("http://{address}"))
        };
        Ok(Services {
            inventory: url(&inventory)?,
            payments: url(&payments)?,
            tasks: vec![
                tokio::spawn(serve(inventory, |asked| async move { stock(&asked) })),
                tokio::spawn(serve(payments, |asked| async move { charge(&asked) })),
            ],
        })
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn stock(asked: &Asked) -> Answered {
    let item = |name: &str, price: &str, available: i32| {
        let item =
            [("name", name.into()), ("price", price.into()), ("available", available.into())];
        Answered(200, Map::from(item as [(&str, Value); 3]).into())
    };
    match asked.path.as_str() {
        "/items/A1" => item("Apple box", "19.90", 12),
        "/items/B2" => item("Blue mug", "7.50", 3),
        _ => Answered::error(404, "no such item"),
    }
}

fn charge(asked: &Asked) -> Answered {
    let amount = asked.body.as_map().and_then(|body| body.text("amount")).unwrap_or_default();
    if asked.method != Method::POST || asked.path != "/charges" || amount.is_empty() {
        return Answered::error(400, "post an amount to /charges");
    }
    let id = format!("ch_{}", amount.replace('.', ""));
    let charge = [("id", Value::from(id)), ("amount", amount.into()), ("paid", true.into())];
    Answered(201, Map::from(charge).into())
}
