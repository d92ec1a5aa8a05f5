//! A login whose secrets are new in each run: they are on no disk, and yet what they open is tested.

use crate::stage::Shop;
use rehearsal_testkit::Client;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("reading a folder").flatten() {
        if entry.path().is_dir() {
            files_below(&entry.path(), files);
        } else {
            files.push(entry.path());
        }
    }
}

#[track_caller]
fn is_nowhere(shop: &Shop, secret: &str) {
    let mut files = Vec::new();
    files_below(shop.project.root(), &mut files);
    assert!(!files.is_empty());
    for file in files {
        let bytes = fs::read(&file).expect("reading a file");
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{secret} is in {}", file.display());
    }
}

#[test]
fn a_login_with_new_secrets_each_time_replays_and_none_is_on_disk() {
    let app = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rough/login.py");
    let shop = Shop::of(vec!["python3".to_owned(), app.display().to_string()]);
    let recording = shop.record(&[]);
    let mut client = Client::connect(shop.port).expect("the app listens");
    let login = br#"{"user":"ada","password":"correct horse battery"}"#;
    let answer = client.request("POST", "/login", &[], login).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: serde_json::Value = serde_json::from_str(answer.text()).unwrap();
    let token = body["token"].as_str().unwrap().to_owned();
    let cookie = answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let ask = |client: &mut Client, name: &str, value: String| {
        client.request("GET", "/me", &[(name.to_owned(), value)], b"").unwrap().status
    };
    assert_eq!(ask(&mut client, "authorization", format!("Bearer {token}")), 200);
    assert_eq!(ask(&mut client, "cookie", cookie.clone()), 200);
    assert_eq!(
        ask(&mut client, "authorization", "Bearer a-stolen-and-wrong-token".to_owned()),
        401
    );
    let ended = shop.project.interrupt(recording);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let session = cookie.split_once('=').unwrap().1;
    let secrets = [token.as_str(), session, "correct horse battery", "a-stolen-and-wrong-token"];
    for secret in secrets {
        is_nowhere(&shop, secret);
    }
    // The app makes new ones; its own are what the later requests must carry.
    let tested = shop.project.run(["test"], &BTreeMap::new());
    assert_eq!(tested.code, 0, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("4 tests: 4 passed"), "{}", tested.stdout);
    let forgets = BTreeMap::from([("BUG".to_owned(), "forget".to_owned())]);
    let tested = shop.project.run(["test"], &forgets);
    assert_eq!(tested.code, 1, "{}{}", tested.stdout, tested.stderr);
    assert!(tested.stdout.contains("2 passed, 2 failed"), "{}", tested.stdout);
    for secret in secrets {
        is_nowhere(&shop, secret);
    }
}
