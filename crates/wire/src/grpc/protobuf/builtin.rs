//! The messages by which calls say why they failed (`google/rpc/status.proto`,
//! `google/rpc/error_details.proto`), known without any descriptor.

use super::schema::{Field, Kind, Label, Message, Schemas};
use std::sync::LazyLock;

/// A message and its fields in the order of their numbers, from 1; `*` is a repeated one.
const MESSAGES: &[(&str, &str)] = &[
    ("google.protobuf.Any", "type_url string, value bytes"),
    ("google.protobuf.Duration", "seconds int64, nanos int32"),
    ("google.rpc.Status", "code int32, message string, details *google.protobuf.Any"),
    ("google.rpc.ErrorInfo.MetadataEntry", "key string, value string"),
    (
        "google.rpc.ErrorInfo",
        "reason string, domain string, metadata *google.rpc.ErrorInfo.MetadataEntry",
    ),
    ("google.rpc.RetryInfo", "retry_delay google.protobuf.Duration"),
    ("google.rpc.DebugInfo", "stack_entries *string, detail string"),
    ("google.rpc.QuotaFailure.Violation", "subject string, description string"),
    ("google.rpc.QuotaFailure", "violations *google.rpc.QuotaFailure.Violation"),
    ("google.rpc.PreconditionFailure.Violation", "type string, subject string, description string"),
    ("google.rpc.PreconditionFailure", "violations *google.rpc.PreconditionFailure.Violation"),
    ("google.rpc.BadRequest.FieldViolation", "field string, description string"),
    ("google.rpc.BadRequest", "field_violations *google.rpc.BadRequest.FieldViolation"),
    ("google.rpc.RequestInfo", "request_id string, serving_data string"),
    (
        "google.rpc.ResourceInfo",
        "resource_type string, resource_name string, owner string, description string",
    ),
    ("google.rpc.Help.Link", "description string, url string"),
    ("google.rpc.Help", "links *google.rpc.Help.Link"),
    ("google.rpc.LocalizedMessage", "locale string, message string"),
];

/// What is said when a server is asked for its descriptors (`grpc/reflection/v1/reflection.proto`); a number
/// that is not used has no name.
const REFLECTION: &[(&str, &str)] = &[
    (
        "Request",
        "host string, -, file_by_filename string, file_containing_symbol string, -, -, list_services string",
    ),
    ("Files", "file_descriptor_proto *bytes"),
    ("Service", "name string"),
    ("Services", "service *Service"),
    ("Error", "error_code int32, error_message string"),
    (
        "Response",
        "valid_host string, original_request Request, -, file_descriptor_response Files, -, \
         list_services_response Services, error_response Error",
    ),
];

static BUILTIN: LazyLock<Schemas> = LazyLock::new(|| {
    let mut schemas = Schemas::default();
    schemas.add_builtin();
    schemas
});

static REFLECTING: LazyLock<Schemas> = LazyLock::new(|| {
    let mut schemas = Schemas::default();
    schemas.add(REFLECTION);
    let place = |name: &str| schemas.by_name.get(name).copied();
    if let (Some(request), Some(response)) = (place("Request"), place("Response")) {
        for service in ["v1", "v1alpha"] {
            let path = format!("/grpc.reflection.{service}.ServerReflection/ServerReflectionInfo");
            schemas.methods.insert(path, (request, response));
        }
    }
    schemas.add_builtin();
    schemas
});

impl Schemas {
    /// What is known when nothing is told.
    pub(crate) fn builtin() -> &'static Schemas {
        &BUILTIN
    }

    /// What reflection says, under names of our own for its messages.
    pub(crate) fn reflecting() -> &'static Schemas {
        &REFLECTING
    }

    /// Adds the built-in messages that it does not have.
    pub(super) fn add_builtin(&mut self) {
        self.add(MESSAGES);
    }

    fn add(&mut self, messages: &[(&str, &str)]) {
        for (name, fields) in messages {
            if self.by_name.contains_key(*name) {
                continue;
            }
            let fields = (1..).zip(fields.split(", "));
            let fields = fields.filter_map(|(number, line)| self.builtin_field(number, line));
            let (name, fields) = ((*name).to_owned(), fields.collect());
            let is_entry = name.ends_with("Entry");
            self.by_name.insert(name.clone(), self.messages.len());
            self.messages.push(Message { name, fields, is_entry });
        }
    }

    /// A field whose message, if it is one, stands earlier in the table.
    fn builtin_field(&self, number: u32, line: &str) -> Option<Field> {
        let (name, kind) = line.split_once(' ')?;
        let (label, kind) = match kind.strip_prefix('*') {
            Some(kind) => (Label::Repeated, kind),
            None => (Label::Singular, kind),
        };
        let kind = match kind {
            "int32" => Kind::Int32,
            "int64" => Kind::Int64,
            "string" => Kind::String,
            "bytes" => Kind::Bytes,
            message => Kind::Message(*self.by_name.get(message)?),
        };
        Some(Field { number, name: name.to_owned(), json_name: name.to_owned(), kind, label })
    }
}
