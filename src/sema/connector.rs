//! Connectors: which there are, where each may stand, and their options.

mod live;
mod post;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Connector, CsvOptions, FileConnector, FileFormat, Type, Value};
use crate::syntax::ast;

use super::checker::Checker;
use super::expr::value_of;
use super::findings::unknown;

/// What a connector is the other end of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Recorded,
    Live,
    Keep,
    Sink,
    Serve,
}

/// Known to the language, not carried out by this version.
const LATER: &[&str] = &["mqtt", "websocket", "tcp", "udp", "serial", "kafka", "modbus", "opcua", "amqp"];
const FILES: &[&str] = &["csv", "jsonl", "json", "parquet", "arrow", "wav", "images", "idx"];
/// Of these, those that are only read.
const READ_ONLY: &[&str] = &["wav", "images", "idx"];
const OTHERS: &[&str] = &["stdin", "stdout", "tail", "http"];

/// The arguments of a connector while they are taken out one by one; what is left is unknown.
pub(super) struct Options<'a> {
    pub connector: &'a ast::Connector,
    positional: Vec<&'a ast::Expr>,
    named: Vec<(&'a ast::Ident, &'a ast::Expr)>,
    known: Vec<&'static str>,
}

impl<'a> Options<'a> {
    fn of(connector: &'a ast::Connector) -> Options<'a> {
        let positional = connector.args.iter().filter(|arg| arg.name.is_none()).map(|arg| &arg.value).collect();
        let named = connector.args.iter().filter_map(|arg| Some((arg.name.as_ref()?, &arg.value))).collect();
        Options { connector, positional, named, known: Vec::new() }
    }

    pub fn take(&mut self, name: &'static str) -> Option<&'a ast::Expr> {
        self.known.push(name);
        let at = self.named.iter().position(|(ident, _)| ident.name == name)?;
        Some(self.named.remove(at).1)
    }

    pub fn take_first(&mut self) -> Option<&'a ast::Expr> {
        (!self.positional.is_empty()).then(|| self.positional.remove(0))
    }
}

impl<'a> Checker<'a> {
    /// `of` is the declaration whose end it is.
    pub(super) fn connector(&mut self, connector: &'a ast::Connector, side: Side, of: &Name) -> Option<Connector> {
        let name = &*connector.name.name;
        let mut options = Options::of(connector);
        if let Some(diagnostic) = misplaced(connector, side) {
            self.report(diagnostic);
            return None;
        }
        let out = match name {
            "stdin" => self.byte_format(&mut options, true).map(|format| Connector::Stdin { format }),
            "stdout" => self.byte_format(&mut options, false).map(|format| Connector::Stdout { format }),
            "http" if side == Side::Sink => self.http_out(&mut options).map(Connector::Post),
            "http" if !options.positional.is_empty() => return Some(self.later_connector(connector)),
            "http" if side == Side::Live => self.http_in(&mut options, of),
            "http" => self.http(&mut options).map(Connector::Http),
            "tail" => self.tail(&mut options).map(Connector::Tail),
            _ if FILES.contains(&name) => self.file(name, &mut options).map(Connector::File),
            _ if LATER.contains(&name) => return Some(self.later_connector(connector)),
            _ => {
                let known = FILES.iter().chain(OTHERS).chain(LATER).copied();
                let mut diagnostic = unknown("connector", name, connector.name.span, known);
                diagnostic.code = Code::E0701;
                self.report(diagnostic);
                return None;
            }
        };
        self.unknown_options(&options);
        out
    }

    fn file(&mut self, name: &str, options: &mut Options<'a>) -> Option<FileConnector> {
        let named = if name == "idx" { options.take("data") } else { None };
        let path = match options.take_first().or(named) {
            Some(path) => self.option_text(path, "the path"),
            None => {
                self.report(no_path(options.connector));
                None
            }
        };
        let format = match name {
            "csv" => Some(FileFormat::Csv(self.csv_options(options)?)),
            "jsonl" => Some(FileFormat::Jsonl),
            "json" => Some(FileFormat::Json),
            "parquet" => Some(FileFormat::Parquet),
            "arrow" => Some(FileFormat::Arrow),
            "wav" => Some(FileFormat::Wav),
            "images" => Some(FileFormat::Images),
            "idx" => Some(FileFormat::Idx { labels: self.labels(options)? }),
            _ => None,
        };
        Some(FileConnector { path: path?, format: format? })
    }

    /// `labels: "train-labels-idx1-ubyte.gz"`.
    fn labels(&mut self, options: &mut Options<'a>) -> Option<Option<Name>> {
        match options.take("labels") {
            None => Some(None),
            Some(expr) => self.option_text(expr, "`labels`").map(Some),
        }
    }

    fn csv_options(&mut self, options: &mut Options<'a>) -> Option<CsvOptions> {
        let default = CsvOptions::default();
        let header = self.option_bool(options.take("header"), default.header, "`header`");
        let index = self.option_bool(options.take("index"), default.index, "`index`");
        let separator = match options.take("separator") {
            Some(ast::Expr { kind: ast::ExprKind::Name(word), .. }) if word.name == "whitespace" => Some(None),
            Some(expr) => self.option_char(expr, "`separator`").map(Some),
            None => Some(default.separator),
        };
        let decimal = options.take("decimal").map_or(Some(default.decimal), |expr| self.option_char(expr, "`decimal`"));
        let quote = options.take("quote").map_or(Some(default.quote), |expr| self.option_char(expr, "`quote`"));
        Some(CsvOptions { header: header?, separator: separator?, index: index?, decimal: decimal?, quote: quote? })
    }

    /// `format: json | csv`, of what is read also `msgpack`; a line holds one JSON object where nothing is said.
    fn byte_format(&mut self, options: &mut Options<'a>, is_read: bool) -> Option<FileFormat> {
        match options.take("format") {
            None => Some(FileFormat::Jsonl),
            Some(expr) => match word(expr) {
                Some("json" | "jsonl") => Some(FileFormat::Jsonl),
                Some("csv") => self.csv_options(options).map(FileFormat::Csv),
                Some("msgpack") if is_read => Some(FileFormat::Msgpack),
                _ if is_read => {
                    self.report(no_format(expr.span).help("write `format: json`, `format: csv` or `format: msgpack`"));
                    None
                }
                _ => {
                    self.report(no_format(expr.span));
                    None
                }
            },
        }
    }

    /// With its options as they are; whoever needs it refuses it by name.
    fn later_connector(&mut self, connector: &'a ast::Connector) -> Connector {
        let mut options = BTreeMap::new();
        for (nth, arg) in connector.args.iter().enumerate() {
            let name = arg.name.as_ref().map_or_else(|| Name::from(format!("{nth}")), |ident| ident.name.clone());
            if let Some(value) = self.any_option(&arg.value) {
                options.insert(name, value);
            }
        }
        Connector::Later { name: connector.name.name.clone(), options }
    }

    fn any_option(&mut self, expr: &'a ast::Expr) -> Option<Value> {
        match &expr.kind {
            ast::ExprKind::Name(ident) if self.globals.index.value(&ident.name).is_none() => {
                Some(Value::Text(ident.name.clone()))
            }
            ast::ExprKind::Call(call) if call.name.name == "secret" => self.secret(call),
            ast::ExprKind::List(items) => {
                let items: Vec<Option<Value>> = items.iter().map(|item| self.any_option(item)).collect();
                items.into_iter().collect::<Option<Vec<_>>>().map(Value::List)
            }
            _ => self.constant_typed(expr, "an option").and_then(|typed| value_of(&typed.expr)),
        }
    }

    /// Only the secret's name goes into the program, so that its value is neither hashed nor stored.
    fn secret(&mut self, call: &'a ast::Call) -> Option<Value> {
        match call.args.as_slice() {
            [ast::Arg { name: None, value: ast::Expr { kind: ast::ExprKind::Text(name), .. }, .. }] => {
                Some(Value::Text(format!("secret:{}", name.value).into()))
            }
            _ => {
                self.report(
                    Diagnostic::new(Code::E0306, "`secret` takes a name").at(call.span, "").help("write `secret(\"NAME\")`"),
                );
                None
            }
        }
    }

    fn option_text(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<Name> {
        match self.constant(expr, &Type::Text, what)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    fn option_char(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<char> {
        let text = self.option_text(expr, what)?;
        let mut letters = text.chars();
        match (letters.next(), letters.next()) {
            (Some(letter), None) => Some(letter),
            _ => {
                self.report(
                    Diagnostic::new(Code::E0703, format!("{what} is one character"))
                        .at(expr.span, "")
                        .help("write one, such as \";\""),
                );
                None
            }
        }
    }

    fn option_bool(&mut self, expr: Option<&'a ast::Expr>, default: bool, what: &'static str) -> Option<bool> {
        let Some(expr) = expr else { return Some(default) };
        match self.constant(expr, &Type::Bool, what)? {
            Value::Bool(bool) => Some(bool),
            _ => None,
        }
    }

    fn unknown_options(&mut self, options: &Options<'a>) {
        for expr in &options.positional {
            self.report(too_many(options.connector, expr.span));
        }
        for (ident, _) in &options.named {
            let mut diagnostic = unknown("option", &ident.name, ident.span, options.known.iter().copied());
            diagnostic.code = Code::E0703;
            diagnostic.message = format!("`{}` has no option `{}`", options.connector.name.name, ident.name);
            self.report(diagnostic);
        }
    }
}

fn word(expr: &ast::Expr) -> Option<&str> {
    match &expr.kind {
        ast::ExprKind::Name(ident) => Some(&ident.name),
        ast::ExprKind::Text(text) => Some(&text.value),
        _ => None,
    }
}

/// The `{name}`s of a path or topic.
pub(super) fn patterns(connector: &Connector) -> Vec<Name> {
    let text = match connector {
        Connector::File(file) => Some(&file.path),
        Connector::Tail(tail) => Some(&tail.path),
        Connector::Later { options, .. } => ["topic", "0", "path"].iter().find_map(|key| match options.get(*key) {
            Some(Value::Text(text)) if text.contains('{') => Some(text),
            _ => None,
        }),
        Connector::Simulate(_)
        | Connector::Stdin { .. }
        | Connector::Stdout { .. }
        | Connector::Http(_)
        | Connector::Post(_) => None,
    };
    let Some(text) = text else { return Vec::new() };
    let parts = text.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.into()).collect()
}

/// E0701: a connector that cannot stand there.
fn misplaced(connector: &ast::Connector, side: Side) -> Option<Diagnostic> {
    let name = &*connector.name.name;
    let help = match (name, side) {
        ("stdout", Side::Recorded | Side::Live | Side::Keep) => "read from `stdin`, or write with `| to stdout`",
        ("stdin", Side::Sink | Side::Keep | Side::Serve) => "write to `stdout`",
        ("tail", Side::Recorded) => {
            "write `live tail(…)`; what stands in a file already is `recorded csv(…)` or `recorded jsonl(…)`"
        }
        ("tail", Side::Keep | Side::Sink) => "write to `csv(…)` or `jsonl(…)`, which grow line by line",
        ("tail", Side::Serve) => "serve at `http(port: 8080)`",
        ("stdin", Side::Recorded) => "write `live stdin`; a recording is a file",
        ("http", Side::Recorded | Side::Keep) => "write `live http(port: 8080)`; a recording is a file",
        ("mqtt" | "websocket" | "tcp" | "udp" | "serial", Side::Recorded | Side::Keep) => {
            "write it after `live`; a recording is a file"
        }
        (name, Side::Keep | Side::Sink) if READ_ONLY.contains(&name) => "write `parquet(…)` or `jsonl(…)`: these are only read",
        (name, Side::Serve) if READ_ONLY.contains(&name) => "serve at `http(port: 8080)`",
        ("csv" | "jsonl" | "json" | "parquet" | "arrow" | "stdout", Side::Serve) => "serve at `http(port: 8080)`",
        _ => return None,
    };
    let place = match side {
        Side::Recorded => "`recorded`",
        Side::Live => "`live`",
        Side::Keep => "`keep`",
        Side::Sink => "a sink",
        Side::Serve => "`serve`",
    };
    Some(
        Diagnostic::new(Code::E0701, format!("`{name}` cannot be the other end of {place}"))
            .at(connector.name.span, "")
            .help(help),
    )
}

/// E0704.
fn no_path(connector: &ast::Connector) -> Diagnostic {
    let name = &connector.name.name;
    let ending = match name.as_str() {
        "tail" => "jsonl",
        "images" => "png",
        name => name,
    };
    Diagnostic::new(Code::E0704, format!("`{name}` needs the path of its file"))
        .at(connector.span, "")
        .help(format!("write `{name}(\"data/file.{ending}\")`, relative to this file"))
}

/// E0703.
fn no_format(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0703, "this format is not known here").at(span, "").help("write `format: json` or `format: csv`")
}

/// E0703.
fn too_many(connector: &ast::Connector, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0703, format!("`{}` takes no such argument", connector.name.name))
        .at(span, "one too many")
        .help("name its options, such as `header: false`")
}
