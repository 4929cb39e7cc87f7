//! What a client did wrong, or why it gets no answer, as one JSON object with a status.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::base::{Name, nearest};

use crate::io::NotTaken;

use super::backend::Refusal;

/// `{"error": {"message", …}}`.
#[derive(Clone, Debug, PartialEq)]
pub struct Trouble {
    pub status: StatusCode,
    pub body: Map<String, Value>,
    /// Worth another try after so many seconds.
    retry_after_s: Option<u32>,
}

/// What is wrong with one value of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct BadValue {
    /// From 0, as in the request.
    pub row: usize,
    pub column: Name,
    pub expected: String,
    pub got: String,
}

impl Trouble {
    fn new(status: StatusCode, message: impl Into<String>) -> Trouble {
        let body = Map::from_iter([("message".to_owned(), Value::String(message.into()))]);
        Trouble { status, body, retry_after_s: None }
    }

    fn with(mut self, key: &str, value: impl Into<Value>) -> Trouble {
        self.body.insert(key.to_owned(), value.into());
        self
    }

    fn retry(mut self, after_s: u32) -> Trouble {
        self.retry_after_s = Some(after_s);
        self
    }
}

pub fn unknown_task(task: &str, known: &[Name]) -> Trouble {
    let known: Vec<&str> = known.iter().map(Name::as_str).collect();
    let hint = nearest(task, known.iter().copied()).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Trouble::new(StatusCode::NOT_FOUND, format!("no task `{task}` is served here{hint}")).with("tasks", json!(known))
}

/// `sources` are the paths at which sources take rows.
pub fn unknown_page(path: &str, sources: &[Name]) -> Trouble {
    let own = ["/predict/TASK", "/status", "/health", "/ready", "/metrics", "/"];
    let hint = nearest(path, sources.iter().map(Name::as_str)).map(|path| format!("; did you mean `{path}`?"));
    let paths: Vec<&str> = sources.iter().map(Name::as_str).chain(own).collect();
    let message = format!("there is nothing at `{path}`{}", hint.unwrap_or_default());
    Trouble::new(StatusCode::NOT_FOUND, message).with("paths", json!(paths))
}

pub fn only_post() -> Trouble {
    Trouble::new(StatusCode::METHOD_NOT_ALLOWED, "rows are brought with POST")
}

pub fn another_page() -> Trouble {
    Trouble::new(StatusCode::FORBIDDEN, "a page of another site may not bring rows; send them without `Origin`")
}

pub fn not_kept_in_time() -> Trouble {
    Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "the rows could not be kept in time; they may come in later").retry(1)
}

/// The port is open and nothing behind it yet, or any more: who comes a moment later finds it.
pub fn not_open() -> Trouble {
    Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "the pipeline is starting or stopping").retry(1)
}

pub fn no_key(bytes_max: usize) -> Trouble {
    Trouble::new(StatusCode::BAD_REQUEST, format!("an `Idempotency-Key` has 1 to {bytes_max} bytes"))
}

/// Why nothing of a body was taken.
pub fn not_taken(source: &Name, not_taken: NotTaken) -> Trouble {
    match not_taken {
        NotTaken::NoRows { row, why } => {
            Trouble::new(StatusCode::BAD_REQUEST, format!("the body does not read as rows, from row {row} on: {why}"))
                .with("row", row)
                .with("expected", r#"{"column": value, …}, one object a line, [{…}, …] or {"rows": [{…}, …]}"#)
        }
        NotTaken::TooManyRows { rows_max } => {
            Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {rows_max} rows, this one has more"))
        }
        NotTaken::BadRows { bad, count, rows } => bad_rows(source, &bad, count, rows),
        NotTaken::TooLarge => Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is more than the journal takes at once"),
        NotTaken::Full { bytes_max } => {
            let message = format!("the journal of `{source}` has reached its limit of {} MiB", bytes_max >> 20);
            Trouble::new(StatusCode::SERVICE_UNAVAILABLE, message).retry(5)
        }
        NotTaken::Busy => overloaded(),
        NotTaken::AnotherBody => {
            let message = "another request has come with this `Idempotency-Key`; nothing was taken. Give each request its own";
            Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, message)
        }
        NotTaken::Failed { code, message } => {
            Trouble::new(StatusCode::SERVICE_UNAVAILABLE, message).with("code", code).retry(5)
        }
        NotTaken::Stopping => Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "the pipeline is stopping").retry(5),
    }
}

fn bad_rows(source: &Name, bad: &[(usize, String)], count: usize, rows: usize) -> Trouble {
    let told: Vec<Value> = bad.iter().map(|(row, reason)| json!({ "row": row, "reason": reason })).collect();
    let (do_not, which) = if count == 1 { ("does not", "") } else { ("do not", "s") };
    let message = format!(
        "{count} of {rows} rows {do_not} fit `{source}`; nothing was taken. Send the good rows without the bad one{which}"
    );
    Trouble::new(StatusCode::BAD_REQUEST, message).with("bad", told).with("bad_count", count).with("accepted", 0)
}

pub fn no_json(why: &str) -> Trouble {
    Trouble::new(StatusCode::BAD_REQUEST, format!("the body does not read as JSON: {why}"))
        .with("expected", r#"{"rows": [{"column": value, …}, …]}"#)
}

pub fn bad_value(bad: BadValue) -> Trouble {
    let BadValue { row, column, expected, got } = bad;
    Trouble::new(StatusCode::BAD_REQUEST, format!("row {row}: `{column}` is {got}, expected {expected}"))
        .with("row", row)
        .with("column", column.as_str())
        .with("expected", expected)
        .with("got", got)
}

pub fn too_many_rows(rows: usize, rows_max: usize) -> Trouble {
    Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a request has at most {rows_max} rows, this one has {rows}"))
}

pub fn too_long(bytes_max: usize) -> Trouble {
    Trouble::new(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has at most {bytes_max} bytes"))
}

pub fn too_slow() -> Trouble {
    Trouble::new(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time")
}

pub fn overloaded() -> Trouble {
    Trouble::new(StatusCode::TOO_MANY_REQUESTS, "more requests are waiting than the queue holds").retry(1)
}

pub fn no_answer_in_time() -> Trouble {
    Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "there was no answer in time").retry(1)
}

pub fn refused(task: &str, refusal: Refusal) -> Trouble {
    match refusal {
        Refusal::NoModel { why } => {
            Trouble::new(StatusCode::SERVICE_UNAVAILABLE, format!("`{task}` has no model yet: {why}")).retry(5)
        }
        Refusal::Overloaded => overloaded(),
        Refusal::Stopping => Trouble::new(StatusCode::SERVICE_UNAVAILABLE, "the pipeline is stopping").retry(5),
        Refusal::Failed { code, message } => Trouble::new(StatusCode::INTERNAL_SERVER_ERROR, message).with("code", code),
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.body }).to_string();
        let mut response = (self.status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if let Some(after_s) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, after_s.into());
        }
        response
    }
}
