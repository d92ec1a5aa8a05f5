//! The shop in Rust: axum, reqwest with rustls, tonic, quick-xml and Juniper.
//!
//!     everything-shop PORT
//!
//! The environment is that of ../shop.py. This file has the routes; what the shop calls and GraphQL have a file each.

mod graphql;
mod inventory;
mod payments;
mod taxes;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use axum::extract::{Path, State, WebSocketUpgrade};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::Arc;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What the shop does not sell, by status and words.
struct Refused(StatusCode, String);

impl<E: Into<Failure>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, error.into().to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"refused": self.1}))).into_response()
    }
}

/// Whether the shop has this defect; run.py says what each does.
fn bug(name: &str) -> bool {
    std::env::var("BUG").is_ok_and(|planted| planted == name)
}

/// The messages as they are sent on, by a shop that has the defect.
fn spoiled<T>(mut messages: Vec<T>) -> Vec<T> {
    if bug("drops_stream_message") {
        messages.remove(1);
    } else if bug("reorders_stream") {
        messages.swap(0, 1);
    }
    messages
}

/// The connections to what the shop calls.
struct Shop {
    inventory: inventory::Inventory,
    http: reqwest::Client,
}

#[derive(Deserialize)]
struct Order {
    sku: String,
    quantity: i64,
    country: String,
}

#[derive(Serialize)]
struct Happened {
    event: &'static str,
    cents: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
}

/// What happens to an order.
async fn events(shop: &Shop, asked: &Order) -> Result<Vec<Happened>, Refused> {
    let priced = shop.inventory.look(&asked.sku).await?.cents * asked.quantity;
    let taxed = priced + taxes::ask(&shop.http, &asked.country, priced).await?;
    let payment = Some(payments::charge(&shop.http, taxed).await?);
    Ok(vec![
        Happened { event: "priced", cents: priced, payment: None },
        Happened { event: "taxed", cents: taxed, payment: None },
        Happened { event: "paid", cents: taxed, payment },
    ])
}

async fn order(
    State(shop): State<Arc<Shop>>,
    Json(asked): Json<Order>,
) -> Result<Response, Refused> {
    let last = events(&shop, &asked).await?.pop();
    Ok((StatusCode::CREATED, Json(last)).into_response())
}

/// Takes orders over WebSocket, and tells of each event by event.
async fn orders(State(shop): State<Arc<Shop>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        let (code, reason) = match serve(&shop, &mut socket).await {
            Ok(()) => (1000, "see you".to_owned()),
            Err(Refused(_, why)) => (1011, why),
        };
        // Who is gone needs no goodbye.
        let _ = socket.send(Message::Close(Some(CloseFrame { code, reason: reason.into() }))).await;
    })
}

async fn serve(shop: &Shop, socket: &mut WebSocket) -> Result<(), Refused> {
    while let Some(message) = socket.recv().await {
        let Message::Text(text) = message? else { continue };
        if text.as_str() == "bye" {
            break;
        }
        for event in spoiled(events(shop, &serde_json::from_str(&text)?).await?) {
            socket.send(Message::text(serde_json::to_string(&event)?)).await?;
        }
    }
    Ok(())
}

/// Tells what becomes of an order, as server-sent events.
async fn deliveries(
    State(shop): State<Arc<Shop>>,
    Path(sku): Path<String>,
) -> Result<Response, Refused> {
    let told = spoiled(shop.inventory.follow(&sku).await?);
    let events = told
        .into_iter()
        .map(|one| Event::default().id(one.number.to_string()).event("delivery").json_data(one));
    Ok(Sse::new(futures_util::stream::iter(events)).into_response())
}

async fn refund(Json(asked): Json<Value>) -> Result<Json<Value>, Refused> {
    Ok(Json(payments::refund(&asked).await?))
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let port = std::env::args().nth(1).ok_or("a port is needed")?.parse()?;
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "there are two providers of cryptography")?;
    let shop = Arc::new(Shop {
        inventory: inventory::Inventory::connect()?,
        http: reqwest::Client::new(),
    });
    let routes = Router::new()
        .route("/orders", post(order).get(orders))
        .route("/deliveries/{sku}", axum::routing::get(deliveries))
        .route("/refunds", post(refund))
        .route("/graphql", post(graphql::ask))
        .with_state(shop);
    axum::serve(tokio::net::TcpListener::bind(("127.0.0.1", port)).await?, routes).await?;
    Ok(())
}
