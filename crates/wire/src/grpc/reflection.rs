//! Asks a server by reflection for the descriptors of its services
//! (`grpc/reflection/v1/reflection.proto`, and `v1alpha`, which differs by its name alone).
//!
//! Servers differ in whether they answer with what a file imports, so what is missing is asked for by
//! name. Metadata of the app's calls is not sent: it may be what only the app may say.

use super::message::path_of;
use super::protobuf::{File, Schemas};
use super::status;
use crate::{Inquired, Inquiry};
use rehearsal_model::{Exchange, Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The names of the service, the one to be tried first at the beginning.
const SERVICES: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];
/// How often is asked: imports of imports are seldom nested deeper.
const MOST_STEPS: usize = 24;
/// How many services and files are asked for at once.
const MOST_AT_ONCE: usize = 500;
/// Bytes of files that are kept.
const MOST_BYTES: usize = 16 << 20;

/// See the module.
pub(crate) struct Reflection {
    /// The fields of the app's own request that say to whom it is.
    host: Option<Value>,
    /// The service that the app has called.
    called: String,
    /// Which of [`SERVICES`] is asked.
    version: usize,
    steps: usize,
    /// The files, by name.
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    /// What was asked for by name: it is not asked for again.
    asked: BTreeSet<String>,
    listed: bool,
}

impl Reflection {
    /// What follows from a call that the app made; `None` when it is no call, when what it says is known, or
    /// when it asks for descriptors itself.
    pub(crate) fn after(request: &Map, known: Option<&Schemas>) -> Option<Box<dyn Inquiry>> {
        let path = path_of(request)?;
        let (service, _) = path.strip_prefix('/')?.split_once('/')?;
        let is_known = known.unwrap_or_else(|| Schemas::builtin()).method(path).is_some();
        if is_known || service.starts_with("grpc.reflection.") {
            return None;
        }
        let headers = crate::http::fields::each(request.get("headers"));
        let host = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        Some(Box::new(Reflection {
            host: host.map(|(_, host)| (*host).clone()),
            called: service.to_owned(),
            version: 0,
            steps: 0,
            files: BTreeMap::new(),
            bytes: 0,
            asked: BTreeSet::new(),
            listed: false,
        }))
    }

    fn ask(&mut self, messages: Vec<Value>) -> Inquired {
        self.steps += 1;
        if self.steps > MOST_STEPS || messages.len() > MOST_AT_ONCE {
            return Inquired::Untold("it has more to tell than is asked for".to_owned());
        }
        let mut headers = Map::new();
        if let Some(host) = &self.host {
            headers.push_new("host", host.clone());
        }
        headers.push_new("content-type", "application/grpc");
        headers.push_new("te", "trailers");
        Inquired::Ask(Map::from([
            ("http", format!("POST /{}/ServerReflectionInfo", SERVICES[self.version]).into()),
            ("version", crate::http::VERSION_2.into()),
            ("headers", Value::from(headers)),
            ("messages", Value::List(messages)),
        ]))
    }

    fn list(&mut self) -> Inquired {
        self.ask(vec![question("list_services", "*")])
    }

    /// The services that the server lists, the one that was called among them, and none twice.
    fn services(&mut self, answers: &[Value]) -> Inquired {
        self.listed = true;
        let mut names = BTreeSet::from([self.called.clone()]);
        for answer in answers.iter().filter_map(Value::as_map) {
            let list = answer.get("list_services_response").and_then(Value::as_map);
            let list = list.and_then(|list| list.get("service")).and_then(Value::as_list);
            let list = list.unwrap_or_default().iter().filter_map(Value::as_map);
            let known = list.filter_map(|service| service.text("name"));
            let known = known.filter(|name| !SERVICES.contains(name));
            names.extend(known.map(str::to_owned));
        }
        self.ask(names.iter().map(|name| question("file_containing_symbol", name)).collect())
    }

    /// Takes files in; `Err` says why they are of no use.
    fn take(&mut self, answers: &[Value]) -> Result<(), String> {
        for answer in answers.iter().filter_map(Value::as_map) {
            let files = answer.get("file_descriptor_response").and_then(Value::as_map);
            let files = files.and_then(|files| files.get("file_descriptor_proto"));
            for file in files.and_then(Value::as_list).unwrap_or_default() {
                let file = file.as_bytes().ok_or("its answer cannot be read")?;
                let name = File::of(file).ok_or("its answer cannot be read")?.name;
                self.bytes += file.len();
                if self.bytes > MOST_BYTES {
                    return Err("its descriptors take more than 16 MiB".to_owned());
                }
                self.files.entry(name.to_owned()).or_insert_with(|| file.to_vec());
            }
        }
        Ok(())
    }

    /// Asks for what is imported and not there, or tells what there is.
    fn complete(&mut self) -> Inquired {
        let imports = self.files.values().filter_map(|file| File::of(file));
        let missing: BTreeSet<String> = imports
            .flat_map(|file| file.imports)
            .filter(|name| !self.files.contains_key(*name) && !self.asked.contains(*name))
            .map(str::to_owned)
            .collect();
        if !missing.is_empty() {
            let questions = missing.iter().map(|name| question("file_by_filename", name)).collect();
            self.asked.extend(missing);
            return self.ask(questions);
        }
        let set = File::set(self.files.values().map(Vec::as_slice));
        match Schemas::read(&set) {
            _ if self.files.is_empty() => {
                Inquired::Untold(format!("it does not tell what {} is", self.called))
            }
            Ok(_) => Inquired::Told(set),
            Err(problem) => Inquired::Untold(format!("its descriptors have a gap: {problem}")),
        }
    }
}

impl Inquiry for Reflection {
    fn next(&mut self, answered: Option<&Exchange>) -> Inquired {
        let Some(exchange) = answered else { return self.list() };
        let Some(response) = &exchange.response else {
            return Inquired::Untold("the connection ended before it had answered".to_owned());
        };
        match status::failure(response) {
            Some(failed)
                if failed.starts_with("UNIMPLEMENTED") && self.version + 1 < SERVICES.len() =>
            {
                self.version += 1;
                return self.list();
            }
            Some(failed) if failed.starts_with("UNIMPLEMENTED") => {
                return Inquired::Untold("it offers no server reflection".to_owned());
            }
            Some(failed) => {
                return Inquired::Untold(format!("it refused server reflection: {failed}"));
            }
            None => {}
        }
        let refused =
            response.get("status").and_then(Value::as_i64).is_some_and(|status| status != 200);
        if refused {
            return Inquired::Untold("it offers no server reflection".to_owned());
        }
        let Some(answers) = response.get("messages").and_then(Value::as_list) else {
            return Inquired::Untold("it answers server reflection with something else".to_owned());
        };
        if !self.listed {
            return self.services(answers);
        }
        match self.take(answers) {
            Ok(()) => self.complete(),
            Err(why) => Inquired::Untold(why),
        }
    }

    fn schemas(&self) -> &'static Schemas {
        Schemas::reflecting()
    }
}

fn question(kind: &str, of: &str) -> Value {
    Value::from(Map::from([(kind, of)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rehearsal_model::json;

    fn map(text: &str) -> Map {
        json::parse(text).unwrap().as_map().unwrap().clone()
    }

    fn call(path: &str) -> Map {
        let headers = r#""headers":{"host":"shop:1","content-type":"application/grpc"}"#;
        map(&format!(r#"{{"http":"POST {path}","version":"2",{headers}}}"#))
    }

    /// A file of this name, with a message `name` and these imports.
    fn file(name: &str, imports: &[&str]) -> Vec<u8> {
        let text = |number: u8, text: &str| {
            [&[number << 3 | 2, text.len() as u8], text.as_bytes()].concat()
        };
        let imports: Vec<u8> = imports.iter().flat_map(|name| text(3, name)).collect();
        let message = text(1, &name.replace('.', "_"));
        let message = [&[4 << 3 | 2, message.len() as u8], message.as_slice()].concat();
        [text(1, name), imports, message].concat()
    }

    fn files(list: &[Vec<u8>]) -> Value {
        let list = list.iter().map(|file| Value::from_bytes(file)).collect();
        let files = Map::from([("file_descriptor_proto", Value::List(list))]);
        Value::from(Map::from([("file_descriptor_response", Value::from(files))]))
    }

    fn answer(messages: Vec<Value>, status: &str) -> Exchange {
        let grpc = Value::from(Map::from([("status", status)]));
        let response =
            [("status", Value::from(200)), ("messages", messages.into()), ("grpc", grpc)];
        Exchange { response: Some(Map::from(response)), ..Exchange::default() }
    }

    /// The service that is asked, and what it is asked for.
    #[track_caller]
    fn asked(inquired: &Inquired) -> (String, String) {
        let Inquired::Ask(request) = inquired else { panic!("{inquired:?}") };
        assert!(json::to_string(&Value::from(request.clone())).contains(r#""host":"shop:1""#));
        (
            request.text("http").unwrap().to_owned(),
            json::to_string(request.get("messages").unwrap()),
        )
    }

    #[test]
    fn services_are_listed_then_asked_for_and_imports_fetched() {
        let mut inquiry = Reflection::after(&call("/shop.Pay/Charge"), None).unwrap();
        let (path, messages) = asked(&inquiry.next(None));
        assert_eq!(path, "POST /grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
        assert_eq!(messages, r#"[{"list_services":"*"}]"#);
        let (path, messages) = asked(&inquiry.next(Some(&answer(vec![], "UNIMPLEMENTED"))));
        assert_eq!(path, "POST /grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo");
        assert_eq!(messages, r#"[{"list_services":"*"}]"#);
        let list = r#"{"list_services_response":{"service":[{"name":"shop.Stock"},
            {"name":"grpc.reflection.v1alpha.ServerReflection"}]}}"#;
        let (_, messages) = asked(&inquiry.next(Some(&answer(vec![map(list).into()], "OK"))));
        let services =
            r#"[{"file_containing_symbol":"shop.Pay"},{"file_containing_symbol":"shop.Stock"}]"#;
        assert_eq!(messages, services);
        let pay = file("pay.proto", &["money.proto"]);
        let told = files(&[pay.clone(), file("stock.proto", &[])]);
        let (_, messages) = asked(&inquiry.next(Some(&answer(vec![told], "OK"))));
        assert_eq!(messages, r#"[{"file_by_filename":"money.proto"}]"#);
        let last = inquiry.next(Some(&answer(vec![files(&[file("money.proto", &[])])], "OK")));
        let Inquired::Told(set) = last else { panic!("{last:?}") };
        let schemas = Schemas::read(&set).unwrap();
        assert!(schemas.message("money_proto").is_some() && schemas.message("pay_proto").is_some());
        assert_eq!(Schemas::joined(&set, &set).unwrap(), set);
        let more = File::set([pay.as_slice(), &file("mail.proto", &[])]);
        assert_eq!(
            Schemas::joined(&set, &more).unwrap().len(),
            set.len() + file("mail.proto", &[]).len() + 2
        );
    }

    #[test]
    fn a_server_that_does_not_tell_is_not_asked_on_and_on() {
        let begin = || {
            let mut inquiry = Reflection::after(&call("/shop.Pay/Charge"), None).unwrap();
            inquiry.next(None);
            inquiry
        };
        let mut inquiry = begin();
        inquiry.next(Some(&answer(vec![], "UNIMPLEMENTED")));
        let none = inquiry.next(Some(&answer(vec![], "UNIMPLEMENTED")));
        assert_eq!(none, Inquired::Untold("it offers no server reflection".to_owned()));
        let refused = begin().next(Some(&answer(vec![], "UNAUTHENTICATED")));
        let why = "it refused server reflection: UNAUTHENTICATED";
        assert_eq!(refused, Inquired::Untold(why.to_owned()));
        assert!(matches!(begin().next(Some(&Exchange::default())), Inquired::Untold(_)));
        let mut endless = begin();
        let mut inquired = endless.next(Some(&answer(vec![], "OK")));
        for number in 0..MOST_STEPS {
            asked(&inquired);
            let (name, next) = (format!("{number}.proto"), format!("{}.proto", number + 1));
            let told = files(&[file(&name, &[&next])]);
            inquired = endless.next(Some(&answer(vec![told], "OK")));
            if !matches!(inquired, Inquired::Ask(_)) {
                break;
            }
        }
        assert!(matches!(inquired, Inquired::Untold(_)), "{inquired:?}");
    }

    #[test]
    fn only_calls_that_nothing_describes_are_a_reason_to_ask() {
        let reason = |request: &Map| Reflection::after(request, None).is_some();
        assert!(reason(&call("/shop.Pay/Charge")));
        assert!(!reason(&call("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")));
        assert!(!reason(&map(r#"{"http":"POST /shop.Pay/Charge","version":"2"}"#)));
        let known = Some(Schemas::reflecting());
        let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        assert!(Reflection::after(&call(path), known).is_none());
    }
}
