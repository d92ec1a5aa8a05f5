//! Tests that run side by side on threads of one process and name themselves by a header.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

fn get(address: &str, path: &str, test: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nx-rehearsal-test: {test}\r\n");
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    answer.rsplit("\r\n\r\n").next().unwrap().to_owned()
}

fn rates(test: &str) {
    let payments = std::env::var("PAYMENTS").unwrap();
    let address = payments.strip_prefix("http://").unwrap();
    let seen: Vec<String> = (0..3).map(|_| get(address, "/rate", test)).collect();
    let path = std::env::var("SEEN").unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(format!("[\"{test}\", [{}]]\n", seen.join(", ")).as_bytes()).unwrap();
}

#[test]
fn one() {
    rates("one");
}

#[test]
fn two() {
    rates("two");
}

#[test]
fn a_server_of_its_own() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = std::thread::spawn(move || listener.accept().unwrap().0.write_all(b"mine"));
    let mut told = String::new();
    TcpStream::connect(address).unwrap().read_to_string(&mut told).unwrap();
    served.join().unwrap().unwrap();
    assert_eq!(told, "mine");
}
