//! The requests and their answers.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::{Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::base::Time;

use super::answer::Body;
use super::backend::Backend;
use super::door::{Door, Doors};
use super::error::{self, Trouble};
use super::inbox::Inboxes;
use super::listener::Limits;
use super::meter::{self, Meters};
use super::post::elsewhere;
use super::rows::{Read, read};
use super::{metrics, page};

/// What all requests of one listener share.
pub struct Site {
    pub(super) doors: Doors,
    pub(super) inboxes: Inboxes,
    backend: Arc<dyn Backend>,
    pub(super) limits: Limits,
    /// One permit per request that works or waits; none left is 429.
    admitted: Semaphore,
    /// One permit per request that works.
    working: Semaphore,
    /// One permit per request that brings rows; none left is 429.
    pub(super) posting: Semaphore,
    meters: Meters,
    /// Of requests that bring rows, by source.
    pub(super) posts: Meters,
}

impl Site {
    pub fn new(doors: Doors, inboxes: Inboxes, backend: Arc<dyn Backend>, limits: Limits) -> Site {
        let admitted = Semaphore::new(limits.working_max + limits.waiting_max);
        let working = Semaphore::new(limits.working_max);
        let posting = Semaphore::new(limits.posting_max);
        let (meters, posts) = (Meters::new(&meter::PREDICTIONS), Meters::new(&meter::ROWS_IN));
        Site { doors, inboxes, backend, limits, admitted, working, posting, meters, posts }
    }
}

pub fn router(site: Site) -> Router {
    Router::new()
        .route("/predict/{task}", post(predict))
        .route("/health", get(health))
        .route("/ready", get(ready))
        .route("/metrics", get(show_metrics))
        .route("/status", get(status))
        .route("/", get(async || Html(page::PAGE)))
        .fallback(elsewhere)
        .with_state(Arc::new(site))
}

async fn predict(State(site): State<Arc<Site>>, Path(task): Path<String>, request: Request) -> Response {
    let start = Instant::now();
    let Some(door) = site.doors.get(&task) else {
        let trouble = error::unknown_task(&task, &site.doors.names());
        site.meters.unknown().note(trouble.status.as_u16(), 0, start.elapsed());
        return trouble.into_response();
    };
    let meter = site.meters.of(&door.task);
    match answer(&site, &door, request).await {
        Ok((rows, body)) => {
            meter.note(200, rows, start.elapsed());
            ([(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(trouble) => {
            meter.note(trouble.status.as_u16(), 0, start.elapsed());
            trouble.into_response()
        }
    }
}

/// How many rows were answered, and the body.
async fn answer(site: &Site, door: &Door, request: Request) -> Result<(usize, Vec<u8>), Trouble> {
    let _admitted = site.admitted.try_acquire().map_err(|_| error::overloaded())?;
    let body = body(site, request).await?;
    let read = rows(site, door, &body)?;
    let rows = read.rows.num_rows();
    let work = async {
        let _working = site.working.acquire().await.map_err(|_| error::overloaded())?;
        site.backend.predict(&door.task, read.rows).await.map_err(|refusal| error::refused(&door.task, refusal))
    };
    let answer = timeout(site.limits.answer_time_max, work).await.map_err(|_| error::no_answer_in_time())??;
    let body = serde_json::to_vec(&Body::new(&door.task, answer, read.ignored)).expect("plain data always serialises");
    Ok((rows, body))
}

/// All of it, within the limits of bytes and time.
pub(super) async fn body(site: &Site, request: Request) -> Result<Bytes, Trouble> {
    let reading = to_bytes(request.into_body(), site.limits.body_bytes_max);
    match timeout(site.limits.body_time_max, reading).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(error::too_long(site.limits.body_bytes_max)),
        Err(_) => Err(error::too_slow()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    rows: Vec<Map<String, Value>>,
}

fn rows(site: &Site, door: &Door, body: &[u8]) -> Result<Read, Trouble> {
    let Asked { rows } = serde_json::from_slice(body).map_err(|why| error::no_json(&why.to_string()))?;
    if rows.len() > site.limits.rows_max {
        return Err(error::too_many_rows(rows.len(), site.limits.rows_max));
    }
    let now = Time(chrono::Utc::now().timestamp_micros());
    read(door, &rows, now).map_err(error::bad_value)
}

/// The process is there.
async fn health() -> Response {
    json_body(StatusCode::OK, &json!({ "status": "ok" }))
}

/// Every served task can answer.
async fn ready(State(site): State<Arc<Site>>) -> Response {
    let missing = site.backend.status().missing();
    let code = if missing.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_body(code, &json!({ "ready": missing.is_empty(), "missing": missing }))
}

async fn show_metrics(State(site): State<Arc<Site>>) -> Response {
    let mut out = String::new();
    metrics::write(&site.backend.status(), &mut out);
    site.meters.write(&mut out);
    site.posts.write(&mut out);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], out).into_response()
}

async fn status(State(site): State<Arc<Site>>) -> Response {
    let status = site.backend.status();
    json_body(StatusCode::OK, &serde_json::to_value(&status).expect("plain data always serialises"))
}

fn json_body(code: StatusCode, body: &Value) -> Response {
    (code, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
