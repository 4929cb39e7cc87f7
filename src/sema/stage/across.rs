//! `across([ax..gz], mean, ewma(10h))`: a column for every column and function, column by column.

use crate::base::Name;
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::shape::Shape;
use crate::syntax::ast;

/// One column that `across` makes.
pub(super) struct Made<'a> {
    pub name: ast::Ident,
    /// The column that the function takes.
    pub column: ast::Ident,
    pub function: &'a ast::Call,
}

impl<'a> Checker<'a> {
    pub(super) fn across(&mut self, across: &'a ast::Across, shape: &Shape) -> Vec<Made<'a>> {
        let columns = columns::resolve(&across.columns, shape, &mut self.findings);
        let made = |(column, span): &(Name, crate::base::Span), function: &'a ast::Call| Made {
            name: ast::Ident { name: format!("{column}_{}", function.name.name).into(), span: across.span },
            column: ast::Ident { name: column.clone(), span: *span },
            function,
        };
        columns.iter().flat_map(|column| across.functions.iter().map(move |function| made(column, function))).collect()
    }
}
