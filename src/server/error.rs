//! What a client did wrong, or why it gets no answer, as one JSON object with a status.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::base::{Name, nearest};

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

pub fn unknown_page(path: &str) -> Trouble {
    Trouble::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"))
        .with("paths", json!(["/predict/TASK", "/status", "/health", "/ready", "/metrics", "/"]))
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
