//! What is in stock, by gRPC over TLS. The messages are those of ../inventory.proto, written by hand: its compiler is
//! not needed.

use crate::{Failure, Refused, bug};
use axum::http::StatusCode;
use serde::Serialize;
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Code, Request};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Item {
    #[prost(string, tag = "1")]
    pub(crate) sku: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Stock {
    #[prost(string, tag = "1")]
    pub(crate) sku: String,
    #[prost(int32, tag = "2")]
    pub(crate) count: i32,
    #[prost(int64, tag = "3")]
    pub(crate) cents: i64,
}

#[derive(Clone, PartialEq, prost::Message, Serialize)]
pub(crate) struct Delivery {
    #[prost(int32, tag = "1")]
    pub(crate) number: i32,
    #[prost(string, tag = "2")]
    pub(crate) state: String,
}

pub(crate) struct Inventory(Channel);

impl Inventory {
    /// The inventory at INVENTORY; connected when it is first asked.
    pub(crate) fn connect() -> Result<Self, Failure> {
        let endpoint = Endpoint::from_shared(format!("https://{}", std::env::var("INVENTORY")?))?;
        Ok(Self(endpoint.tls_config(ClientTlsConfig::new().with_native_roots())?.connect_lazy()))
    }

    /// How much there is of an item, and what it costs.
    pub(crate) async fn look(&self, sku: &str) -> Result<Stock, Refused> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await?;
        let path = PathAndQuery::from_static("/inventory.Inventory/Look");
        match grpc
            .unary(Request::new(Item { sku: sku.to_owned() }), path, ProstCodec::default())
            .await
        {
            Ok(stock) => Ok(stock.into_inner()),
            Err(status) if status.code() == Code::NotFound && !bug("grpc_status") => {
                Err(Refused(StatusCode::NOT_FOUND, format!("NOT_FOUND: {}", status.message())))
            }
            Err(status) => Err(Refused(
                StatusCode::SERVICE_UNAVAILABLE,
                format!("UNAVAILABLE: {}", status.message()),
            )),
        }
    }

    /// What became of an item that was sent.
    pub(crate) async fn follow(&self, sku: &str) -> Result<Vec<Delivery>, Refused> {
        let mut grpc = Grpc::new(self.0.clone());
        grpc.ready().await?;
        let path = PathAndQuery::from_static("/inventory.Inventory/Follow");
        let answer = grpc
            .server_streaming(
                Request::new(Item { sku: sku.to_owned() }),
                path,
                ProstCodec::default(),
            )
            .await?;
        let (mut stream, mut told) = (answer.into_inner(), Vec::new());
        while let Some(delivery) = stream.message().await? {
            told.push(delivery);
        }
        Ok(told)
    }
}
