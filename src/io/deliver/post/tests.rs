//! A receiver that answers as a script says, and a sink that posts to it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, Int64Array};

use super::*;
use crate::base::{Duration, Span};
use crate::ir::{Column, Type};

/// What a receiver has got: the key and the body of each request.
type Got = Arc<Mutex<Vec<(String, String)>>>;

/// Answers each request with the next status of the script, over as many connections as it takes; `0` closes without one.
fn receiver(script: &[u16]) -> (u16, Got) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (script, got) = (script.to_vec(), Got::default());
    let heard = got.clone();
    std::thread::spawn(move || {
        let mut script = script.into_iter();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            while let Some(request) = request(&mut stream) {
                heard.lock().unwrap().push(request);
                match script.next().unwrap_or(202) {
                    0 => break,
                    status => {
                        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: 4\r\n\r\nwhy!");
                        stream.get_mut().write_all(answer.as_bytes()).unwrap();
                    }
                }
            }
        }
    });
    (port, got)
}

fn request(stream: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut key, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("idempotency-key", value)) => key = value.to_owned(),
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(_) => {}
            None if line.trim_end().is_empty() => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some((key, String::from_utf8(body).unwrap()))
}

fn sink(port: u16, mode: Mode) -> Box<dyn Deliver> {
    let to = PostConnector { host: "127.0.0.1".into(), port, path: "/rows".into(), rows_max: 2, timeout: Duration(5_000_000) };
    let n = Column { name: "n".into(), ty: Type::Int, nullable: false, span: Span::default() };
    let schema = Schema { columns: vec![n], ..Schema::default() };
    open(&"out".into(), &to, &schema, &Place::beside("."), mode, None).unwrap()
}

fn rows(values: std::ops::Range<i64>) -> RecordBatch {
    RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from_iter_values(values)) as ArrayRef)]).unwrap()
}

/// The rest of the keys, behind the sink and the run.
fn keys(got: &Got) -> Vec<String> {
    let got = got.lock().unwrap();
    got.iter().map(|(key, _)| key.splitn(3, '-').nth(2).unwrap().to_owned()).collect()
}

#[test]
fn rows_go_out_some_a_request_each_with_a_key_of_its_own() {
    let (port, got) = receiver(&[]);
    let mut sink = sink(port, Mode::Live);
    sink.stands(7, 100);
    sink.deliver(&rows(0..5)).unwrap();
    sink.stands(7, 105);
    sink.deliver(&rows(5..6)).unwrap();
    assert_eq!(keys(&got), ["7-100-2", "7-102-2", "7-104-1", "7-105-1"]);
    let bodies: Vec<String> = got.lock().unwrap().iter().map(|(_, body)| body.clone()).collect();
    assert_eq!(bodies, [r#"[{"n":0},{"n":1}]"#, r#"[{"n":2},{"n":3}]"#, r#"[{"n":4}]"#, r#"[{"n":5}]"#]);
    assert_eq!((sink.take_refused(), sink.part_done()), (None, 0));
}

#[test]
fn another_try_begins_where_the_last_one_stood_and_keeps_its_key() {
    let (port, got) = receiver(&[202, 503, 429, 202]);
    let mut sink = sink(port, Mode::Live);
    sink.stands(1, 0);
    for _ in 0..2 {
        let error = sink.deliver(&rows(0..4)).unwrap_err();
        assert_eq!(error.code, Code::R0713);
        assert!(error.message.contains("/rows` does not take the rows: the answer was"), "{error}");
        assert_eq!(sink.part_done(), 2);
    }
    sink.deliver(&rows(0..4)).unwrap();
    assert_eq!(keys(&got), ["1-0-2", "1-2-2", "1-2-2", "1-2-2"]);
}

#[test]
fn what_the_receiver_does_not_want_is_counted_and_the_rest_goes_on() {
    let (port, got) = receiver(&[202, 400, 422]);
    let mut sink = sink(port, Mode::Live);
    sink.stands(1, 0);
    sink.deliver(&rows(0..7)).unwrap();
    assert_eq!(keys(&got).len(), 4);
    let (lost, why) = sink.take_refused().unwrap();
    assert_eq!((lost, why.as_str()), (4, "the answer was 400 Bad Request: why!"));
    assert_eq!(sink.take_refused(), None);
}

#[test]
fn a_connection_that_was_closed_meanwhile_is_opened_anew() {
    let (port, got) = receiver(&[202, 0, 202]);
    let mut sink = sink(port, Mode::Live);
    sink.stands(1, 0);
    sink.deliver(&rows(0..4)).unwrap();
    assert_eq!(keys(&got), ["1-0-2", "1-2-2", "1-2-2"]);
}

#[test]
fn nobody_there_is_said_and_a_replay_asks_nobody() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut one = sink(port, Mode::Live);
    assert!(one.deliver(&rows(0..1)).unwrap_err().message.contains("refused"));
    sink(port, Mode::Recorded).deliver(&rows(0..1)).unwrap();
}
