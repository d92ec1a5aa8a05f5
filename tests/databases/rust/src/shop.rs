//! A small shop by tokio-postgres: GET /orders, POST /orders/ITEM/AMOUNT/MOMENT, POST /orders/ID/raise/AMOUNT. BUG plants a
//! defect: missing_commit, n_plus_one, wrong_column, utc_as_local, lost_update.

use crate::tokio_postgres::connect;
use crate::{Driver, Told};
use std::future::Future;
use std::pin::Pin;
use tokio_postgres::{Row, Transaction};

pub(crate) struct Shop;

fn line(row: &Row) -> String {
    let (id, item, amount): (i32, String, String) = (row.get(0), row.get(1), row.get(2));
    format!("{id} {item} {amount}\n")
}

async fn orders(tx: &Transaction<'_>, bug: &str) -> Told {
    let columns = "SELECT id, item, amount::text FROM orders";
    let mut rows = tx.query(&format!("{columns} ORDER BY id"), &[]).await?;
    if bug == "n_plus_one" {
        rows.clear();
        for id in 1..=100 {
            // It goes on when one fails.
            let one = tx.query(&format!("{columns} WHERE id = $1"), &[&id]).await;
            rows.extend(one.unwrap_or_default());
        }
    }
    Ok(rows.iter().map(line).collect())
}

async fn create(tx: &Transaction<'_>, bug: &str, item: &str, amount: &str, moment: &str) -> Told {
    let column = if bug == "wrong_column" { "state" } else { "item" };
    let (due, time) = moment.split_once('T').ok_or("no moment")?;
    let (hour, rest) = time.split_once(':').ok_or("no time")?;
    let hour = hour.parse::<u32>()? + if bug == "utc_as_local" { 2 } else { 0 };
    let deliver = format!("{due} {hour:02}:{rest}");
    let sql = format!(
        "INSERT INTO orders ({column}, amount, due, deliver) \
         VALUES ($1, $2::text::numeric, $3::text::date, $4::text::timestamp) RETURNING id"
    );
    let row = tx.query_one(&sql, &[&item, &amount, &due, &deliver]).await?;
    Ok(row.get::<_, i32>(0).to_string())
}

async fn raise(tx: &Transaction<'_>, bug: &str, id: i32, by: &str) -> Told {
    if bug != "lost_update" {
        let sql = "UPDATE orders SET amount = amount + $1::text::numeric WHERE id = $2 \
                   RETURNING amount::text";
        return Ok(tx.query_one(sql, &[&by, &id]).await?.get(0));
    }
    let row = tx.query_one("SELECT amount::text FROM orders WHERE id = $1", &[&id]).await?;
    let amount = row.get::<_, String>(0).parse::<f64>()? + by.parse::<f64>()?;
    let amount = format!("{amount:.2}");
    tx.execute("UPDATE orders SET amount = $1::text::numeric WHERE id = $2", &[&amount, &id]).await?;
    Ok(amount)
}

/// What the shop answers to a path, in a transaction.
async fn told(tx: &Transaction<'_>, bug: &str, path: &str) -> Told {
    let words: Vec<&str> = path.trim_matches('/').split('/').collect();
    match words[..] {
        [_] => orders(tx, bug).await,
        [_, id, "raise", by] => raise(tx, bug, id.parse()?, by).await,
        [_, item, amount, moment] => create(tx, bug, item, amount, moment).await,
        _ => Err("no such path".into()),
    }
}

/// Whether a path is that of a new order.
fn is_new(path: &str) -> bool {
    path.matches('/').count() == 4 && !path.contains("/raise/")
}

/// By a connection of its own. What failed is rolled back before that is said: a transaction that is
/// only dropped is rolled back at some later time.
async fn answer(path: &str) -> Told {
    let bug = std::env::var("BUG").unwrap_or_default();
    let (mut client, _) = connect().await?;
    let tx = client.transaction().await?;
    let told = told(&tx, &bug, path).await;
    match &told {
        Err(_) => tx.rollback().await?,
        // The connection ends with the request, and the transaction with it.
        Ok(_) if bug == "missing_commit" && is_new(path) => std::mem::forget(tx),
        Ok(_) => tx.commit().await?,
    }
    told
}

impl Driver for Shop {
    fn answer<'a>(&'a mut self, path: &'a str) -> Pin<Box<dyn Future<Output = Told> + 'a>> {
        Box::pin(answer(path))
    }
}
