//! The servers that the responder is compared with, each with a stub for every
//! item, all answering the same bytes.

use super::answering::Answerer;
use super::process::{Started, free_port};
use super::{Bench, tools};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What every stub answers.
const BODY: &str = r#"{"id":"item-7","name":"Item seven","price":"7.25","available":1000,"tags":["small","blue"],"description":"An article that is always in stock, and that nobody has ever sent back.","currency":"EUR"}"#;

/// Starts those that are installed; nginx is the first, if it is there.
pub(crate) fn start(
    bench: &Bench,
    stubs: u64,
    notes: &mut Vec<String>,
) -> anyhow::Result<Vec<Answerer>> {
    type Start = fn(&Bench, &Path, u64) -> anyhow::Result<Answerer>;
    let tools = &bench.tools;
    let known: [(&str, _, Start); 4] = [
        ("nginx", tools.nginx(), nginx),
        ("WireMock", tools.wiremock(), wiremock),
        ("mountebank", tools.mountebank(), mountebank),
        ("MockServer", tools.mockserver(), mockserver),
    ];
    let mut servers = Vec::new();
    for (name, program, start) in known {
        let Some(program) = program else {
            notes.push(format!("{name} is not installed: not measured"));
            continue;
        };
        notes.push(match program.extension() {
            Some(_) => program.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
            None if name == "nginx" => tools::version(&program, "-v"),
            None => format!("{name} {}", tools::version(&program, "--version")),
        });
        match start(bench, &program, stubs) {
            Ok(server) => servers.push(server),
            Err(error) => notes.push(format!("{name} did not start, so not measured: {error:#}")),
        }
    }
    Ok(servers)
}

/// A folder for what a server needs.
fn folder(bench: &Bench, name: &str, stubs: u64) -> anyhow::Result<PathBuf> {
    let folder = bench.folder().join(format!("{name}-{stubs}"));
    std::fs::create_dir(&folder)?;
    Ok(folder)
}

fn path(number: u64) -> String {
    format!("/item/{number:010}")
}

fn nginx(bench: &Bench, program: &Path, stubs: u64) -> anyhow::Result<Answerer> {
    let port = free_port()?;
    let folder = &folder(bench, "nginx", stubs)?;
    let mut settings = format!(
        "daemon off; worker_processes auto; error_log stderr; pid {0}/nginx.pid;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off; keepalive_requests 1000000000; default_type application/json;\n",
        folder.display()
    );
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(settings, "  {kind}_temp_path {}/nginx-{kind};", folder.display())?;
    }
    writeln!(
        settings,
        "  server {{ listen 127.0.0.1:{port}; location /item/ {{ return 200 '{BODY}'; }} }}\n}}"
    )?;
    let file = folder.join("nginx.conf");
    std::fs::write(&file, settings)?;
    let mut command = Command::new(program);
    command.arg("-c").arg(file).arg("-p").arg(folder);
    listening(bench, "nginx", port, stubs, &mut command)
}

fn wiremock(bench: &Bench, program: &Path, stubs: u64) -> anyhow::Result<Answerer> {
    let port = free_port()?;
    let stub = |number| {
        json!({
            "request": { "method": "GET", "url": path(number) },
            "response": {
                "status": 200, "body": BODY, "headers": { "Content-Type": "application/json" }
            },
        })
    };
    let folder = folder(bench, "wiremock", stubs)?;
    std::fs::create_dir_all(folder.join("mappings"))?;
    let mappings = json!({ "mappings": (0..stubs).map(stub).collect::<Vec<Value>>() });
    std::fs::write(folder.join("mappings/all.json"), mappings.to_string())?;
    let mut command = Command::new("java");
    command.arg("-jar").arg(program).args(["--port", &port.to_string()]);
    command.args(["--disable-banner", "--no-request-journal", "--root-dir"]).arg(folder);
    listening(bench, "WireMock", port, stubs, &mut command)
}

fn mountebank(bench: &Bench, program: &Path, stubs: u64) -> anyhow::Result<Answerer> {
    let (port, control) = (free_port()?, free_port()?);
    let stub = |number| {
        json!({
            "predicates": [{ "equals": { "method": "GET", "path": path(number) } }],
            "responses": [{ "is": {
                "statusCode": 200, "body": BODY,
                // Without it, every answer ends its connection.
                "headers": { "Content-Type": "application/json", "Connection": "keep-alive" },
            } }],
        })
    };
    let list: Vec<Value> = (0..stubs).map(stub).collect();
    let imposters = json!({ "imposters": [{ "port": port, "protocol": "http", "stubs": list }] });
    let folder = &folder(bench, "mountebank", stubs)?;
    let file = folder.join("imposters.json");
    std::fs::write(&file, imposters.to_string())?;
    let mut command = Command::new(program);
    command.args(["start", "--port", &control.to_string(), "--configfile"]).arg(file);
    command.args(["--nologfile", "--loglevel", "error", "--localOnly", "--pidfile"]);
    command.arg(folder.join("mountebank.pid")).current_dir(folder);
    listening(bench, "mountebank", port, stubs, &mut command)
}

fn mockserver(bench: &Bench, program: &Path, stubs: u64) -> anyhow::Result<Answerer> {
    let port = free_port()?;
    let stub = |number| {
        json!({
            "httpRequest": { "method": "GET", "path": path(number) },
            "httpResponse": {
                "statusCode": 200, "body": BODY,
                "headers": { "content-type": ["application/json"] },
            },
        })
    };
    let folder = folder(bench, "mockserver", stubs)?;
    let file = folder.join("expectations.json");
    std::fs::write(&file, Value::from_iter((0..stubs).map(stub)).to_string())?;
    let mut command = Command::new("java");
    command.arg(format!("-Dmockserver.initializationJsonPath={}", file.display()));
    command.args(["-Dmockserver.logLevel=ERROR", "-Dmockserver.disableLogging=true", "-jar"]);
    command.arg(program).args(["-serverPort", &port.to_string()]).current_dir(folder);
    listening(bench, "MockServer", port, stubs, &mut command)
}

fn listening(
    bench: &Bench,
    name: &'static str,
    port: u16,
    stubs: u64,
    command: &mut Command,
) -> anyhow::Result<Answerer> {
    let mut running = Started::new(bench.folder(), &format!("{name}-{stubs}"), command)?;
    running.listening(port)?;
    Ok(Answerer::Server { name, port, stubs, _running: running })
}
