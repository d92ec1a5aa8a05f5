//! The sample shop: an ordinary web service that knows nothing of Rehearsal.
//!
//! `BUG=wrong_total` makes it charge a cent too much, `BUG=skip_payment` makes it forget to charge,
//! `BUG=rename_field` makes it answer with `sum` in place of `total`.

use super::http::{Answered, Asked, call, serve};
use hyper::Method;
use rehearsal_model::{Map, Value};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio::net::TcpListener;

struct Shop {
    inventory: String,
    payments: String,
    bug: String,
    orders: AtomicI64,
}

/// Runs the shop by its environment: `PORT`, `INVENTORY_URL`, `PAYMENTS_URL`, `BUG`.
pub(crate) async fn run() -> io::Result<()> {
    let variable = |name: &str| {
        std::env::var(name).map_err(|_| io::Error::other(format!("the shop needs {name}")))
    };
    let shop = Arc::new(Shop {
        inventory: variable("INVENTORY_URL")?,
        payments: variable("PAYMENTS_URL")?,
        bug: std::env::var("BUG").unwrap_or_default(),
        orders: AtomicI64::new(0),
    });
    let port = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8080);
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    serve(listener, move |asked| {
        let shop = Arc::clone(&shop);
        async move {
            shop.answer(asked)
                .await
                .unwrap_or_else(|error| Answered::error(502, &error.to_string()))
        }
    })
    .await;
    Ok(())
}

impl Shop {
    async fn answer(&self, asked: Asked) -> io::Result<Answered> {
        match (&asked.method, asked.path.as_str()) {
            (&Method::GET, path) if path.starts_with("/products/") => {
                let (status, item) = call(
                    &self.inventory,
                    Method::GET,
                    &path.replace("/products/", "/items/"),
                    None,
                )
                .await?;
                if status != 200 {
                    return Ok(Answered::error(404, "unknown product"));
                }
                Ok(Answered(200, item))
            }
            (&Method::POST, "/orders") => self.order(&asked.body).await,
            _ => Ok(Answered::error(404, "not found")),
        }
    }

    async fn order(&self, body: &Value) -> io::Result<Answered> {
        let field = |name: &str| body.as_map().and_then(|body| body.get(name));
        let (Some(sku), Some(quantity)) =
            (field("sku").and_then(Value::as_text), field("quantity").and_then(Value::as_i64))
        else {
            return Ok(Answered::error(400, "an order needs a sku and a quantity"));
        };
        let (status, item) =
            call(&self.inventory, Method::GET, &format!("/items/{sku}"), None).await?;
        let price = item.as_map().and_then(|item| item.text("price")).and_then(cents);
        let (200, Some(price)) = (status, price) else {
            return Ok(Answered::error(404, "unknown product"));
        };
        let id = self.orders.fetch_add(1, Ordering::Relaxed) + 1;
        let cents = price * quantity + i64::from(self.bug == "wrong_total");
        let total = format!("{}.{:02}", cents / 100, cents % 100);
        if self.bug != "skip_payment" {
            let charge = Map::from([("order", Value::from(id)), ("amount", total.as_str().into())]);
            let (status, _) = call(&self.payments, Method::POST, "/charges", Some(charge)).await?;
            if status != 201 {
                return Ok(Answered::error(502, "the payment provider does not answer"));
            }
        }
        let name = if self.bug == "rename_field" { "sum" } else { "total" };
        let order = [("id", Value::from(id)), ("sku", sku.into()), (name, total.into())];
        Ok(Answered(201, Map::from(order).into()))
    }
}

fn cents(price: &str) -> Option<i64> {
    let (whole, fraction) = price.split_once('.')?;
    Some(whole.parse::<i64>().ok()? * 100 + fraction.parse::<i64>().ok()?)
}
