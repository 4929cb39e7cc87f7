//! Rows that come in: one request, one body, taken whole or not at all.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::timeout;

use crate::io::Receipt;

use super::error::{self, Trouble};
use super::http::{Site, body};
use super::inbox::Inbox;

/// Anything that is not one of the server's own paths: the path of a source, or of nothing.
pub async fn elsewhere(State(site): State<Arc<Site>>, request: Request) -> Response {
    let start = Instant::now();
    let path = request.uri().path().to_owned();
    let Some(inbox) = site.inboxes.get(&path) else {
        if site.inboxes.names().is_empty() && site.doors.names().is_empty() {
            return error::not_open().into_response();
        }
        return error::unknown_page(&path, &site.inboxes.names()).into_response();
    };
    let meter = site.posts.of(inbox.source());
    match take(&site, inbox.as_ref(), request).await {
        Ok(Receipt { rows, first, again }) => {
            meter.note(StatusCode::ACCEPTED.as_u16(), if again { 0 } else { rows }, start.elapsed());
            let mut body = json!({ "source": inbox.source().as_str(), "accepted": rows, "first": first });
            if again {
                body["repeated"] = json!(true);
            }
            let body = body.to_string();
            (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(trouble) => {
            meter.note(trouble.status.as_u16(), 0, start.elapsed());
            trouble.into_response()
        }
    }
}

async fn take(site: &Site, inbox: &dyn Inbox, request: Request) -> Result<Receipt, Trouble> {
    if request.method() != Method::POST {
        return Err(error::only_post());
    }
    if is_from_another_page(request.headers()) {
        return Err(error::another_page());
    }
    let key = key(request.headers())?;
    let _posting = site.posting.try_acquire().map_err(|_| error::overloaded())?;
    let body = body(site, request).await?;
    let taken = timeout(site.limits.answer_time_max, inbox.put(body, key, site.limits.rows_max)).await;
    taken.map_err(|_| error::not_kept_in_time())?.map_err(|not_taken| error::not_taken(inbox.source(), not_taken))
}

/// The header by which a client says that it sends a request once more.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Bytes of a key.
const KEY_BYTES_MAX: usize = 255;

/// By which a request is known that is sent once more, because its answer was lost.
fn key(headers: &HeaderMap) -> Result<Option<Vec<u8>>, Trouble> {
    let Some(key) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = key.as_bytes().trim_ascii();
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(error::no_key(KEY_BYTES_MAX));
    }
    Ok(Some(key.to_vec()))
}

/// A browser says from which page a request comes. A page that somebody visits must not write into a pipeline on that
/// person's machine.
fn is_from_another_page(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (None, _) => false,
        (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, page)| page != host),
        (Some(_), None) => true,
    }
}
