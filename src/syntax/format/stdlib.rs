//! Functions and units.

use crate::base::Span;
use crate::syntax::ast::{Example, Function, FunctionKind, FunctionParam, UnitDeclaration, UnitRule};

use super::Formatter;
use super::block::{BRACES, Item, item};
use super::doc::{Doc, all, text};
use super::expr::comma_list;

impl Formatter<'_> {
    pub fn function(&mut self, function: &Function, span: Span) -> Doc {
        let mut params = Vec::new();
        for param in &function.params {
            params.push(self.function_param(param));
        }
        let name = text(format!("function {}(", self.name(&function.name)));
        let result = text(format!(") -> {}", self.type_name(&function.result)));
        let head = all([name, comma_list(params), result]);
        if !self.source(span).ends_with('}') {
            return head;
        }
        all([head, text(" "), self.function_body(function, span)])
    }

    fn function_param(&mut self, param: &FunctionParam) -> Doc {
        let types: Vec<String> = param.types.iter().map(|ty| self.type_name(ty)).collect();
        let variadic = if param.variadic { "…" } else { "" };
        let head = text(format!("{}: {}{variadic}", self.name(&param.name), types.join(" | ")));
        all([head, self.maybe(" = ", param.default.as_ref(), "")])
    }

    /// Kind, unit, state, examples.
    fn function_body(&mut self, function: &Function, span: Span) -> Doc {
        let mut clauses: Vec<(&'static str, String)> = Vec::new();
        clauses.extend(function.kind.map(|kind| ("kind", kind_word(kind).to_owned())));
        clauses.extend(function.unit.map(|rule| ("unit", rule_words(rule).to_owned())));
        let body = self.function_open(function);
        let state = self.clause_at("state", body);
        clauses.extend(state.map(|_| ("state", format!("[{}]", self.names(&function.state)))));
        let mut items: Vec<Item<'_>> = Vec::new();
        for (word, rest) in clauses {
            let start = self.clause_at(word, body).unwrap_or(body);
            let at = Span { source: span.source, start: start as u32, end: self.end_of(start, &rest) as u32 };
            items.push(item(at, move |_| text(format!("{word} {rest}"))));
        }
        items.extend(function.examples.iter().map(|example| item(example.span, move |f| f.example(example))));
        items.sort_by_key(|item| item.start);
        self.enclosed(&BRACES, items, span.end as usize - 1)
    }

    /// Behind the bracket that opens the body.
    fn function_open(&self, function: &Function) -> usize {
        let from = function.result.span.end as usize;
        self.text[from..].find('{').map_or(from, |at| from + at + 1)
    }

    /// Behind the last word of a clause, or behind the bracket that it opens.
    fn end_of(&self, start: usize, rest: &str) -> usize {
        let last = if rest.starts_with('[') { "[" } else { rest.split(' ').next_back().unwrap_or(rest) };
        self.text[start..].find(last).map_or(start, |at| start + at + last.len())
    }

    /// Where a clause of a body begins.
    fn clause_at(&self, word: &str, body: usize) -> Option<usize> {
        use crate::syntax::scan::{Kind, tokens};
        let mut begins = true;
        for token in tokens(&self.text[body..self.close_after(body)]) {
            let at = body + token.at.start;
            if begins && token.kind == Kind::Word && self.text[at..].starts_with(word) && token.at.len() == word.len() {
                return Some(at);
            }
            begins = matches!(token.kind, Kind::Newline | Kind::Sign(';'));
        }
        None
    }

    fn example(&mut self, example: &Example) -> Doc {
        let args: Vec<Doc> = example.args.iter().map(|arg| self.expr(arg)).collect();
        all([text("example "), comma_list(args), text(" -> "), self.expr(&example.result)])
    }

    /// Literals only: as written, with single blanks.
    pub fn unit(&mut self, _unit: &UnitDeclaration, span: Span) -> Doc {
        text(self.tidy(span))
    }
}

fn kind_word(kind: FunctionKind) -> &'static str {
    match kind {
        FunctionKind::Row => "row",
        FunctionKind::Running => "running",
        FunctionKind::Aggregate => "aggregate",
        FunctionKind::Window => "window",
    }
}

fn rule_words(rule: UnitRule) -> &'static str {
    match rule {
        UnitRule::Keeps => "keeps",
        UnitRule::Difference => "difference",
        UnitRule::PerTime => "per time",
        UnitRule::Refuses => "refuses",
    }
}
