//! Connectors of what comes now: files that grow, and rows that clients post.

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Connector, CsvOptions, FileFormat, HttpConnector, TailConnector, TailFrom};
use crate::sema::checker::Checker;
use crate::syntax::ast;

use super::{Options, no_format, no_path, word};

/// Paths that a listener answers itself.
const OWN_PATHS: &[&str] = &["/", "/status", "/health", "/ready", "/metrics"];

/// Endings of files whose bytes are packed.
const PACKED: &[&str] = &[".gz", ".zst", ".zip", ".bz2", ".xz"];

impl<'a> Checker<'a> {
    /// `tail(path, format: json | csv, from: start | end)`, with the options of `csv`.
    pub(super) fn tail(&mut self, options: &mut Options<'a>) -> Option<TailConnector> {
        let path = match options.take_first() {
            Some(expr) => self.tail_path(expr),
            None => {
                self.report(no_path(options.connector));
                None
            }
        };
        let format = self.tail_format(options, path.as_deref());
        let from = self.tail_from(options);
        Some(TailConnector { path: path?, format: format?, from: from? })
    }

    fn tail_path(&mut self, expr: &'a ast::Expr) -> Option<Name> {
        let path = self.option_text(expr, "the path")?;
        if PACKED.iter().any(|ending| path.ends_with(ending)) {
            self.report(packed(expr.span));
        }
        Some(path)
    }

    /// As it says, else as the file's ending says, else one JSON object a line.
    fn tail_format(&mut self, options: &mut Options<'a>, path: Option<&str>) -> Option<FileFormat> {
        let csv = match options.take("format") {
            None => path.is_some_and(|path| path.ends_with(".csv")),
            Some(expr) => match word(expr) {
                Some("csv") => true,
                Some("json" | "jsonl") => false,
                _ => {
                    self.report(no_format(expr.span));
                    return None;
                }
            },
        };
        if !csv {
            return Some(FileFormat::Jsonl);
        }
        let options: CsvOptions = self.csv_options(options)?;
        Some(FileFormat::Csv(options))
    }

    fn tail_from(&mut self, options: &mut Options<'a>) -> Option<TailFrom> {
        match options.take("from") {
            None => Some(TailFrom::End),
            Some(expr) => match word(expr) {
                Some("end") => Some(TailFrom::End),
                Some("start") => Some(TailFrom::Start),
                _ => {
                    self.report(no_beginning(expr.span));
                    None
                }
            },
        }
    }

    /// `http(port: …, host: …, path: …)` as a source; rows are taken at `/rows/SOURCE` where no path is given.
    pub(super) fn http_in(&mut self, options: &mut Options<'a>, source: &Name) -> Option<Connector> {
        let path = match options.take("path") {
            None => Some(Name::from(format!("/rows/{source}"))),
            Some(expr) => self.http_path(expr),
        };
        let at = self.http(options)?;
        Some(Connector::Http(HttpConnector { path: Some(path?), ..at }))
    }

    fn http_path(&mut self, expr: &'a ast::Expr) -> Option<Name> {
        let path = self.option_text(expr, "`path`")?;
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "/-_.~".contains(sign);
        let is_own = OWN_PATHS.contains(&path.as_str()) || path.starts_with("/predict/");
        if !path.starts_with('/') || !path.chars().all(is_plain) {
            self.report(no_http_path(expr.span, "a path begins with `/` and has letters, digits, `-`, `_`, `.`, `~`"));
            return None;
        }
        if is_own {
            self.report(no_http_path(expr.span, &format!("`{path}` is answered by mliot itself")));
            return None;
        }
        Some(path)
    }

    pub(super) fn http(&mut self, options: &mut Options<'a>) -> Option<HttpConnector> {
        let host = match options.take("host") {
            Some(expr) => self.option_text(expr, "`host`"),
            None => Some("127.0.0.1".into()),
        };
        let Some(port) = options.take("port") else {
            self.report(no_port(options.connector));
            return None;
        };
        let number = self.count(port, 0, "the port")?;
        match u16::try_from(number) {
            Ok(port) => Some(HttpConnector { host: host?, port, path: None }),
            Err(_) => {
                self.report(
                    Diagnostic::new(Code::E0309, "a port is at most 65535").at(port.span, "").help("write another port"),
                );
                None
            }
        }
    }
}

/// E0704.
fn no_port(connector: &ast::Connector) -> Diagnostic {
    Diagnostic::new(Code::E0704, "`http` needs a port").at(connector.span, "").help("write `http(port: 8080)`")
}

/// E0703.
fn packed(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0703, "a packed file does not grow line by line")
        .at(span, "")
        .help("follow the file before it is packed, or read the packed one with `recorded csv(…)`")
}

/// E0703.
fn no_beginning(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0703, "`from` is `start` or `end`")
        .at(span, "")
        .help("write `from: start` for all lines that are there, or `from: end` for new ones only")
}

/// E0703.
fn no_http_path(span: Span, why: &str) -> Diagnostic {
    Diagnostic::new(Code::E0703, format!("rows cannot be taken at this path: {why}"))
        .at(span, "")
        .help("write one such as `path: \"/rows/room\"`")
}
