//! What is in stock, asked by GraphQL.

use crate::{Shop, bug};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use juniper::http::GraphQLRequest;
use juniper::{
    EmptyMutation, EmptySubscription, FieldResult, GraphQLObject, RootNode, graphql_object,
};
use std::sync::Arc;

#[derive(GraphQLObject)]
struct Item {
    sku: String,
    count: i32,
    cents: Option<i32>,
}

impl juniper::Context for Shop {}

struct Query;

#[graphql_object]
#[graphql(context = Shop)]
impl Query {
    async fn item(sku: String, #[graphql(context)] shop: &Shop) -> FieldResult<Item> {
        let stock = shop.inventory.look(&sku).await.map_err(|refused| refused.1)?;
        let cents = if bug("graphql_null") { None } else { Some(stock.cents.try_into()?) };
        Ok(Item { sku: stock.sku, count: stock.count, cents })
    }
}

/// Answers a document of GraphQL.
pub(crate) async fn ask(
    State(shop): State<Arc<Shop>>,
    Json(asked): Json<GraphQLRequest>,
) -> Response {
    let schema =
        RootNode::new(Query, EmptyMutation::<Shop>::new(), EmptySubscription::<Shop>::new());
    Json(asked.execute(&schema, &shop).await).into_response()
}
