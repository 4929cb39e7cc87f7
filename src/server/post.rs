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
        return error::unknown_page(&path, &site.inboxes.names()).into_response();
    };
    let meter = site.posts.of(inbox.source());
    match take(&site, inbox.as_ref(), request).await {
        Ok(Receipt { rows, first }) => {
            meter.note(StatusCode::ACCEPTED.as_u16(), rows, start.elapsed());
            let body = json!({ "source": inbox.source().as_str(), "accepted": rows, "first": first }).to_string();
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
    let _posting = site.posting.try_acquire().map_err(|_| error::overloaded())?;
    let body = body(site, request).await?;
    let taken = timeout(site.limits.answer_time_max, inbox.put(body, site.limits.rows_max)).await;
    taken.map_err(|_| error::not_kept_in_time())?.map_err(|not_taken| error::not_taken(inbox.source(), not_taken))
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
