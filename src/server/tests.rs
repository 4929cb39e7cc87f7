//! A listener on a free port, asked by a client of bytes.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use arrow::array::{AsArray, Float64Array, RecordBatch};
use arrow::datatypes::Float64Type;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;

use super::*;
use crate::base::{Name, Span, Unit};
use crate::diag::Code;
use crate::ir::{Column, Origin, SourceColumn, Type};

/// Answers each row with twice its `x`, once it has been let go.
struct Doubling {
    go: Arc<Semaphore>,
    asked: AtomicUsize,
    refuse: Option<Refusal>,
}

impl Doubling {
    /// Lets `go` requests through.
    fn new(go: usize) -> Arc<Doubling> {
        Arc::new(Doubling { go: Arc::new(Semaphore::new(go)), asked: AtomicUsize::new(0), refuse: None })
    }
}

impl Backend for Doubling {
    fn predict(&self, _: &Name, rows: RecordBatch) -> Answering {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (go, refuse) = (self.go.clone(), self.refuse.clone());
        Box::pin(async move {
            if let Some(refusal) = refuse {
                return Err(refusal);
            }
            go.acquire().await.expect("the semaphore is never closed").forget();
            let x = rows.column(0).as_primitive::<Float64Type>();
            let values = Arc::new(x.iter().map(|x| x.map(|x| 2.0 * x)).collect::<Float64Array>());
            Ok(Answer { version: Some("7".into()), values, scores: None, reason: None })
        })
    }

    fn status(&self) -> Status {
        let task = TaskStatus { name: "twice".into(), served: true, ..TaskStatus::default() };
        Status { pipeline: "test.mliot".into(), tasks: vec![task], ..Status::default() }
    }
}

fn door(task: &str) -> Door {
    let column = |name: &str, nullable| SourceColumn {
        column: Column { name: name.into(), ty: Type::Float(Unit::one()), nullable, span: Span::default() },
        origin: Origin::Field(name.into()),
        sentinels: Vec::new(),
        bounds: None,
    };
    Door::new(task.into(), &[column("x", false), column("y", true)], None, None)
}

struct Bench {
    runtime: Runtime,
    listener: Listener,
    _key: DoorKey,
}

impl Bench {
    fn new(backend: Arc<dyn Backend>, limits: Limits) -> Bench {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let at = Address { host: String::new(), port: 0 };
        let listener = Listener::open(&at, backend, limits, runtime.handle()).unwrap();
        let key = listener.doors().open(&"twice".into(), Arc::new(door("twice")));
        Bench { runtime, listener, _key: key }
    }

    fn client(&self) -> Client {
        Client::to(self.listener.at())
    }
}

/// One connection that is kept.
struct Client(BufReader<TcpStream>);

impl Client {
    fn to(at: SocketAddr) -> Client {
        let stream = TcpStream::connect(at).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Client(BufReader::new(stream))
    }

    fn send(&mut self, method: &str, path: &str, body: &str) {
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {}\r\n\r\n", body.len());
        self.0.get_mut().write_all((head + body).as_bytes()).unwrap();
    }

    fn receive(&mut self) -> (u16, String, String) {
        let (mut head, mut line) = (String::new(), String::new());
        while self.0.read_line(&mut line).unwrap() > 2 {
            head.push_str(&line.to_lowercase());
            line.clear();
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (status, head, String::from_utf8(body).unwrap())
    }

    fn ask(&mut self, method: &str, path: &str, body: &str) -> (u16, Value) {
        self.send(method, path, body);
        let (status, _, body) = self.receive();
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    fn predict(&mut self, body: &Value) -> (u16, Value) {
        self.ask("POST", "/predict/twice", &body.to_string())
    }
}

#[test]
fn rows_are_answered_in_order() {
    let bench = Bench::new(Doubling::new(10), Limits::default());
    let mut client = bench.client();
    let (status, body) = client.predict(&json!({"rows": [{"x": 1}, {"x": 2.5, "y": null}, {"x": -3, "z": 0}]}));
    let rows =
        json!([{"value": 2.0, "confidence": null}, {"value": 5.0, "confidence": null}, {"value": -6.0, "confidence": null}]);
    assert_eq!((status, body), (200, json!({"task": "twice", "version": "7", "rows": rows, "ignored": ["z"]})));
    let (status, body) = client.predict(&json!({"rows": []}));
    assert_eq!((status, &body["rows"]), (200, &json!([])));
}

#[test]
fn a_clients_mistakes_are_named() {
    let backend = Doubling::new(10);
    let bench = Bench::new(backend.clone(), Limits { rows_max: 2, body_bytes_max: 200, ..Limits::default() });
    let mut client = bench.client();
    let (status, body) = client.predict(&json!({"rows": [{"x": 1}, {"x": "one"}]}));
    let error = json!({"message": "row 1: `x` is \"one\", expected a number", "row": 1, "column": "x", "expected": "a number", "got": "\"one\""});
    assert_eq!((status, &body["error"]), (400, &error));
    for broken in ["{", "[]", "{\"rows\": 5}", "{\"rows\": [], \"row\": 1}", "{\"rows\": [1]}"] {
        let (status, body) = client.ask("POST", "/predict/twice", broken);
        assert_eq!(status, 400, "{broken}");
        assert!(body["error"]["message"].as_str().unwrap().starts_with("the body does not read as JSON"), "{body}");
    }
    let (status, body) = client.ask("POST", "/predict/twise", "{}");
    assert_eq!((status, &body["error"]["tasks"]), (404, &json!(["twice"])));
    assert_eq!(body["error"]["message"], "no task `twise` is served here; did you mean `twice`?");
    assert_eq!(client.ask("GET", "/nowhere", "").0, 404);
    assert_eq!(client.ask("GET", "/predict/twice", "").0, 405);
    assert_eq!(client.predict(&json!({"rows": [{"x": 1}, {"x": 1}, {"x": 1}]})).0, 413);
    assert_eq!(client.predict(&json!({"rows": [{"x": 1, "filler": "x".repeat(300)}]})).0, 413);
    assert_eq!(backend.asked.load(Ordering::Relaxed), 0);
}

#[test]
fn a_full_queue_is_refused_at_once_and_the_rest_is_answered() {
    let backend = Doubling::new(0);
    let limits = Limits { working_max: 1, waiting_max: 2, ..Limits::default() };
    let bench = Bench::new(backend.clone(), limits);
    let mut clients: Vec<Client> = (0..8).map(|_| bench.client()).collect();
    let body = json!({"rows": [{"x": 1}]}).to_string();
    clients.iter_mut().for_each(|client| client.send("POST", "/predict/twice", &body));
    // Three are let in; who they are is chance, but the five others hear it while nothing moves.
    for client in &clients {
        client.0.get_ref().set_nonblocking(true).unwrap();
    }
    let mut refused = vec![false; clients.len()];
    while refused.iter().filter(|refused| **refused).count() < 5 {
        for (client, refused) in clients.iter_mut().zip(&mut refused) {
            if !*refused && client.0.fill_buf().is_ok_and(|bytes| !bytes.is_empty()) {
                client.0.get_ref().set_nonblocking(false).unwrap();
                let (status, head, _) = client.receive();
                assert_eq!(status, 429);
                assert!(head.contains("retry-after: 1"), "{head}");
                *refused = true;
            }
        }
        std::thread::yield_now();
    }
    assert_eq!(backend.asked.load(Ordering::Relaxed), 1);
    backend.go.add_permits(3);
    for (client, refused) in clients.iter_mut().zip(refused) {
        if !refused {
            client.0.get_ref().set_nonblocking(false).unwrap();
            assert_eq!(client.receive().0, 200);
        }
    }
}

#[test]
fn an_answer_that_does_not_come_is_given_up() {
    let bench = Bench::new(Doubling::new(0), Limits { answer_time_max: Duration::from_millis(50), ..Limits::default() });
    let (status, body) = bench.client().predict(&json!({"rows": [{"x": 1}]}));
    assert_eq!((status, &body["error"]["message"]), (503, &json!("there was no answer in time")));
}

#[test]
fn refusals_of_the_backend_have_their_status() {
    let cases = [
        (Refusal::NoModel { why: "it trains".into() }, 503, "`twice` has no model yet: it trains"),
        (Refusal::Stopping, 503, "the pipeline is stopping"),
        (Refusal::Overloaded, 429, "more requests are waiting than the queue holds"),
        (Refusal::Failed { code: "R0001".into(), message: "no".into() }, 500, "no"),
    ];
    for (refusal, expected, message) in cases {
        let backend = Doubling { go: Arc::new(Semaphore::new(0)), asked: AtomicUsize::new(0), refuse: Some(refusal) };
        let bench = Bench::new(Arc::new(backend), Limits::default());
        let (status, body) = bench.client().predict(&json!({"rows": [{"x": 1}]}));
        assert_eq!((status, &body["error"]["message"]), (expected, &json!(message)));
    }
}

#[test]
fn machines_and_people_can_look() {
    let bench = Bench::new(Doubling::new(1), Limits::default());
    let mut client = bench.client();
    assert_eq!(client.ask("GET", "/health", ""), (200, json!({"status": "ok"})));
    let missing = json!({"ready": false, "missing": ["`twice` has no model yet"]});
    assert_eq!(client.ask("GET", "/ready", ""), (503, missing));
    client.predict(&json!({"rows": [{"x": 1}]}));
    client.send("GET", "/metrics", "");
    let (status, head, text) = client.receive();
    assert_eq!(status, 200);
    assert!(head.contains("text/plain; version=0.0.4"));
    for line in [
        "mliot_http_requests_total{task=\"twice\",status=\"200\"} 1",
        "mliot_http_request_seconds_count{task=\"twice\"} 1",
        "mliot_http_rows_total{task=\"twice\"} 1",
    ] {
        assert!(text.lines().any(|own| own == line), "no {line} in\n{text}");
    }
    assert_eq!(client.ask("GET", "/status", "").1["pipeline"], "test.mliot");
    client.send("GET", "/", "");
    let (status, head, text) = client.receive();
    assert!(status == 200 && head.contains("text/html") && text.contains("<title>mliot</title>"));
}

#[test]
fn doors_come_and_go_while_a_connection_stays() {
    let bench = Bench::new(Doubling::new(10), Limits::default());
    let mut client = bench.client();
    let body = json!({"rows": [{"x": 1}]}).to_string();
    assert_eq!(client.ask("POST", "/predict/other", &body).0, 404);
    let key = bench.listener.doors().open(&"other".into(), Arc::new(door("other")));
    assert_eq!(client.ask("POST", "/predict/other", &body).0, 200);
    drop(key);
    assert_eq!(client.ask("POST", "/predict/other", &body).0, 404);
    assert_eq!(client.ask("POST", "/predict/twice", &body).0, 200);
}

#[test]
fn a_taken_port_is_a_message_with_help() {
    let bench = Bench::new(Doubling::new(1), Limits::default());
    let at = Address { host: String::new(), port: bench.listener.at().port() };
    let again = Listener::open(&at, Doubling::new(1), Limits::default(), bench.runtime.handle());
    let message = again.err().expect("the port is taken");
    assert_eq!(message.code, Code::E0751);
    assert_eq!(message.message, format!("cannot listen at 127.0.0.1:{}: another program listens there", at.port));
    let elsewhere = Address { host: "192.0.2.1".into(), port: 0 };
    let message = Listener::open(&elsewhere, Doubling::new(1), Limits::default(), bench.runtime.handle()).err().unwrap();
    assert!(message.message.contains("no address of this machine"), "{}", message.message);
}

#[test]
fn a_closed_listener_answers_what_is_under_way_and_frees_its_port() {
    let backend = Doubling::new(0);
    let bench = Bench::new(backend.clone(), Limits::default());
    let at = bench.listener.at();
    let mut client = bench.client();
    client.send("POST", "/predict/twice", &json!({"rows": [{"x": 4}]}).to_string());
    while backend.asked.load(Ordering::Relaxed) == 0 {
        std::thread::yield_now();
    }
    let Bench { runtime, listener, _key } = bench;
    drop((listener, _key));
    backend.go.add_permits(1);
    assert_eq!(client.receive().0, 200);
    let port = Address { host: String::new(), port: at.port() };
    let again = || Listener::open(&port, Doubling::new(1), Limits::default(), runtime.handle());
    // The accepting task ends a moment after the listener is dropped.
    while again().is_err() {
        std::thread::yield_now();
    }
}
