//! What a name in an expression stands for: a parameter of an inlined function, a column, a `param`, a `let`.

use crate::base::nearest;
use crate::diag::{Code, Diagnostic};
use crate::ir::ExprKind;
use crate::sema::findings::{list, quoted};
use crate::sema::index::Space;
use crate::syntax::ast;

use super::{Place, Typed, Typer};

impl<'a> Typer<'_, 'a> {
    pub(super) fn name(&mut self, ident: &'a ast::Ident) -> Option<Typed> {
        if let Some(typed) = self.bound(ident) {
            return typed;
        }
        if self.shape.get(&ident.name).is_some() {
            return self.column(ident);
        }
        if self.shape.broken.contains(&ident.name) {
            return None;
        }
        if let Some(param) = self.globals.params.get(&ident.name) {
            self.findings.mark_used(Space::Value, &ident.name);
            let kind = ExprKind::Param(param.name.clone(), param.value.clone());
            let nullable = param.value == crate::ir::Value::Null;
            return Some(Typed::fixed(kind, param.ty.clone(), nullable, ident.span));
        }
        if let Some(value) = self.globals.index.lets.get(&ident.name) {
            self.findings.mark_used(Space::Value, &ident.name);
            return self.unfold(ident, &value.value);
        }
        self.unknown_name(ident)
    }

    /// The value of a column of the row, where one row is meant.
    pub(super) fn column(&mut self, ident: &ast::Ident) -> Option<Typed> {
        let column = self.shape.get(&ident.name)?;
        let typed = Typed::column(column.name.clone(), column.ty.clone(), column.nullable, ident.span);
        match &self.place {
            Place::Window { keys, .. } if self.inside.is_none() && !keys.contains(&ident.name) => {
                self.refuse(column_of_many_rows(ident))
            }
            Place::Constant(what) => {
                let what = *what;
                self.refuse(no_row_here(ident, what))
            }
            Place::Row | Place::Scan | Place::Window { .. } | Place::Simulate { .. } => Some(typed),
        }
    }

    fn unknown_name(&mut self, ident: &ast::Ident) -> Option<Typed> {
        let known_elsewhere =
            self.globals.index.broken.contains(&ident.name) || self.globals.index.params.contains_key(&ident.name);
        if self.shape.open || known_elsewhere {
            return None;
        }
        let diagnostic = self.unknown_name_message(ident);
        self.refuse(diagnostic)
    }

    /// E0201, where no column could stand.
    fn no_value_called(&self, ident: &ast::Ident, what: &str) -> Diagnostic {
        let index = &self.globals.index;
        let values = index.params.keys().chain(index.lets.keys()).map(|name| name.as_str());
        let out =
            Diagnostic::new(Code::E0201, format!("there is no param or `let` `{}`", ident.name)).at(ident.span, "not known");
        match nearest(&ident.name, values) {
            Some(close) => out.help(format!("write `{close}`, if that was meant")).fix(ident.span, quoted(close)),
            None => out.help(format!(
                "write a value or declare a `param`: {what} is the same for all rows, so a column cannot stand here"
            )),
        }
    }

    fn unknown_name_message(&self, ident: &ast::Ident) -> Diagnostic {
        let name = &ident.name;
        let columns: Vec<&str> = self.shape.names().collect();
        let values = self.globals.index.params.keys().chain(self.globals.index.lets.keys()).map(|name| name.as_str());
        if let Place::Constant(what) = self.place {
            return self.no_value_called(ident, what);
        }
        let what = if columns.is_empty() { "param or `let`" } else { "column" };
        let out = Diagnostic::new(Code::E0201, format!("there is no {what} `{name}` here")).at(ident.span, "not known");
        if let Some(close) = nearest(name, columns.iter().copied().chain(values)) {
            return out.help(format!("write `{close}`, if that was meant")).fix(ident.span, quoted(close));
        }
        if self.globals.library.functions.contains_key(name) || self.globals.index.functions.contains_key(name) {
            return out.help(format!("`{name}` is a function; write `{name}(…)`"));
        }
        match list(&columns) {
            Some(columns) => out.help(format!("the columns here are {columns}; text stands in quotes")),
            None => out,
        }
    }
}

/// E0405.
fn column_of_many_rows(ident: &ast::Ident) -> Diagnostic {
    let name = &ident.name;
    Diagnostic::new(Code::E0405, format!("`{name}` has many values in a window, and one is needed"))
        .at(ident.span, "a column of every row in the window")
        .help(format!("say which: `last({name})`, `mean({name})`, or put it after `by` to get a window for each of its values"))
}

/// E0308.
fn no_row_here(ident: &ast::Ident, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0308, format!("{what} is the same for all rows, so it cannot depend on a column"))
        .at(ident.span, "a column")
        .help("write a value, a `param`, or an expression of these")
}
