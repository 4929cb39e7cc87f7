//! `to http("http://…")`: rows that are posted to somebody.

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::PostConnector;
use crate::sema::checker::Checker;
use crate::syntax::ast;

use super::Options;

/// Rows of one request, where nothing is said.
const ROWS_MAX: u32 = 500;
/// Of one request, where nothing is said.
const TIMEOUT: Duration = Duration(10_000_000);
const HTTP_PORT: u16 = 80;

/// An address taken apart: host, port, path with its query.
type Address = (Name, u16, Name);

impl<'a> Checker<'a> {
    /// `http("http://HOST:PORT/PATH", rows: 500, timeout: 10s)`.
    pub(super) fn http_out(&mut self, options: &mut Options<'a>) -> Option<PostConnector> {
        let address = match options.take_first() {
            Some(expr) => self.address(expr),
            None => {
                self.report(no_address(options.connector.span));
                None
            }
        };
        let rows = options.take("rows").map_or(Some(u64::from(ROWS_MAX)), |expr| self.count(expr, 1, "`rows`"));
        let timeout = options.take("timeout").map_or(Some(TIMEOUT), |expr| self.positive_duration(expr, "`timeout`"));
        let (host, port, path) = address?;
        Some(PostConnector { host, port, path, rows_max: u32::try_from(rows?).unwrap_or(u32::MAX), timeout: timeout? })
    }

    fn address(&mut self, expr: &'a ast::Expr) -> Option<Address> {
        let text = self.option_text(expr, "the address")?;
        if text.starts_with("https://") {
            self.report(not_encrypted(expr.span));
            return None;
        }
        let parsed = parsed(&text);
        if parsed.is_none() {
            self.report(not_an_address(expr.span, &text));
        }
        parsed
    }
}

fn parsed(text: &str) -> Option<Address> {
    let rest = text.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    // The digits behind the last colon, unless that is within the brackets of an IPv6 address.
    let (host, port) = match authority.rsplit_once(':').filter(|(_, port)| !port.contains(']')) {
        Some((host, port)) => (host, port.parse().ok()?),
        None => (authority, HTTP_PORT),
    };
    let is_plain = |sign: char| sign.is_ascii_graphic();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let is_whole = !host.is_empty() && port > 0 && !host.contains('@') && host.chars().chain(path.chars()).all(is_plain);
    is_whole.then(|| (host.trim_matches(['[', ']']).into(), port, path.as_str().into()))
}

/// E0704.
fn no_address(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0704, "`http` as a sink needs the address to which rows are posted")
        .at(span, "")
        .help("write `to http(\"http://localhost:8080/rows\")`")
}

/// E0703.
fn not_an_address(span: Span, text: &str) -> Diagnostic {
    Diagnostic::new(Code::E0703, format!("`{text}` is no address to which rows could be posted"))
        .at(span, "")
        .help("write one such as `\"http://localhost:8080/rows\"`")
}

/// E0199.
fn not_encrypted(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0199, "rows cannot be sent over `https` in this version")
        .at(span, "")
        .help("post them to a proxy on this machine over `http`, and let that one encrypt")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_port_and_path() {
        let found = |text: &str| parsed(text).map(|(host, port, path)| format!("{host} {port} {path}"));
        assert_eq!(found("http://localhost").as_deref(), Some("localhost 80 /"));
        assert_eq!(found("http://10.0.0.1:8080/rows/room?key=1").as_deref(), Some("10.0.0.1 8080 /rows/room?key=1"));
        assert_eq!(found("http://[::1]:81?x").as_deref(), Some("::1 81 /?x"));
        assert_eq!(found("http://[::1]/x").as_deref(), Some("::1 80 /x"));
        for wrong in ["localhost:8080", "ftp://x", "http://", "http://x:0", "http://x:99999", "http://me@x", "http://x/a b"] {
            assert_eq!(found(wrong), None, "{wrong}");
        }
    }
}
