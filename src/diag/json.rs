//! The stable JSON form of diagnostics, for editors and scripts.

use serde_json::{Value, json};

use crate::base::{Place, Sources, Span};

use super::{Diagnostic, Level};

/// `{"code", "level", "message", "file", "line", "column", "end_line", "end_column", "help", "fix"}`; places count from 1
/// and are null where no text is at fault.
pub fn to_json(diagnostic: &Diagnostic, sources: &Sources) -> Value {
    let level = match diagnostic.level() {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    let mut value = json!({
        "code": diagnostic.code.as_str(),
        "level": level,
        "message": diagnostic.message,
        "file": diagnostic.span().map(|span| sources.get(span.source).name.to_string()),
        "help": diagnostic.help,
        "fix": null,
    });
    put_range(&mut value, diagnostic.span(), sources);
    if let Some(fix) = &diagnostic.fix {
        let mut edit = json!({ "text": fix.text });
        put_range(&mut edit, Some(fix.span), sources);
        value["fix"] = edit;
    }
    value
}

fn put_range(value: &mut Value, span: Option<Span>, sources: &Sources) {
    let file = |span: Span| sources.get(span.source);
    let start: Option<Place> = span.map(|span| file(span).place(span.start as usize));
    let end: Option<Place> = span.map(|span| file(span).place(span.end as usize));
    value["line"] = json!(start.map(|place| place.line));
    value["column"] = json!(start.map(|place| place.column));
    value["end_line"] = json!(end.map(|place| place.line));
    value["end_column"] = json!(end.map(|place| place.column));
}
