//! Sources and tables.

use crate::syntax::ast::{
    Column, ColumnNames, Columns, Expr, ExprKind, Feed, FeedKind, Keys, NullValues, Origin, OriginKind, Source, Table,
    TimeBasis, TimeClause,
};

use super::super::docs::doc_before;
use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::words;
use super::Builder;

impl Builder<'_> {
    pub fn source(&mut self, node: &Node<'_>) -> Source {
        self.clauses_in(node, &words::SOURCE);
        Source {
            head: self.head_in(node),
            columns: self.once(node, Rule::columns).map(|it| self.columns(&it)),
            recorded: self.once(node, Rule::recorded).map(|it| self.feed_in(&it)),
            live: self.once(node, Rule::live).map(|it| self.feed_in(&it)),
            keep: self.once(node, Rule::keep).map(|it| self.connector_in(&it)),
            time: self.once(node, Rule::time_clause).map(|it| self.time_clause(&it)),
        }
    }

    pub fn table(&mut self, node: &Node<'_>) -> Table {
        self.clauses_in(node, &words::TABLE);
        Table {
            head: self.head_in(node),
            columns: self.once(node, Rule::columns).map(|it| self.columns(&it)),
            recorded: self.once(node, Rule::recorded).map(|it| self.feed_in(&it)),
            key: self.once(node, Rule::table_key).map(|it| self.keys_in(&it)),
        }
    }

    fn feed_in(&mut self, node: &Node<'_>) -> Feed {
        let feed = node.get(Rule::feed);
        let kind = match feed.find(Rule::simulate) {
            Some(simulate) => FeedKind::Simulate(self.simulate(&simulate)),
            None => FeedKind::Connector(self.connector_in(&feed)),
        };
        Feed { kind, span: self.span(&feed) }
    }

    fn columns(&mut self, node: &Node<'_>) -> Columns {
        self.commas_in(node);
        Columns { columns: node.all(Rule::column).map(|column| self.column(&column)).collect(), span: self.span(node) }
    }

    fn column(&mut self, node: &Node<'_>) -> Column {
        let span = self.span(node);
        if let Some(sign) = node.find(Rule::bad_column_equals) {
            self.report(super::super::wrong::equals_for_colon(self.span(&sign), "a column's name and its type"));
        }
        Column {
            doc: doc_before(self.placed.file, span),
            names: self.column_names(&node.get(Rule::column_names)),
            was: self.was_in(node),
            ty: self.type_in(node),
            null: self.once(node, Rule::null_values).map(|it| self.null_values(&it)),
            bounds: self.once(node, Rule::bounds).map(|it| self.bounds(&it)),
            origin: self.once(node, Rule::origin).map(|it| self.origin(&it)),
            span,
        }
    }

    fn column_names(&mut self, node: &Node<'_>) -> ColumnNames {
        match node.find(Rule::column_list) {
            Some(list) => ColumnNames::Many { items: self.column_items(&list), span: self.span(&list) },
            None => ColumnNames::One(self.name_in(node)),
        }
    }

    fn null_values(&mut self, node: &Node<'_>) -> NullValues {
        let values = node.all(Rule::literal).map(|value| self.signed(&value)).collect();
        NullValues { values, span: self.span(node) }
    }

    fn bounds(&mut self, node: &Node<'_>) -> Expr {
        let ends: Vec<Expr> = node.all(Rule::literal).map(|end| self.signed(&end)).collect();
        let [low, high] = ends.try_into().expect("bounds have two ends");
        let span = low.span.to(high.span);
        Expr { kind: ExprKind::Range { low: Box::new(low), high: Box::new(high) }, span }
    }

    fn origin(&mut self, node: &Node<'_>) -> Origin {
        let what = node.one_of(&[Rule::text, Rule::whole, Rule::k_row, Rule::k_arrival]).expect("an origin is one of these");
        let kind = match what.rule() {
            Rule::text => OriginKind::Field(self.text(&what)),
            Rule::whole => OriginKind::Position(self.whole(&what)),
            Rule::k_row => OriginKind::Row,
            _ => OriginKind::Arrival,
        };
        Origin { kind, span: self.span(node) }
    }

    fn time_clause(&mut self, node: &Node<'_>) -> TimeClause {
        TimeClause {
            basis: self.time_basis(node),
            lateness: self.time_option(node, Rule::k_lateness),
            idle: self.time_option(node, Rule::k_idle),
            ahead: self.time_option(node, Rule::k_ahead),
            span: self.span(node),
        }
    }

    fn time_basis(&mut self, node: &Node<'_>) -> TimeBasis {
        if node.has(Rule::time_none) {
            return TimeBasis::None;
        }
        if let Some(every) = node.find(Rule::time_every) {
            let by = self.optional_keys(&every);
            let [every, from] = self.amounts(&every);
            return TimeBasis::Every { every, from, by };
        }
        let at = node.get(Rule::time_at);
        TimeBasis::At { time: self.expr_in(&at), by: self.optional_keys(&at) }
    }

    fn optional_keys(&mut self, node: &Node<'_>) -> Option<Keys> {
        node.has(Rule::keys).then(|| self.keys_in(node))
    }

    fn time_option(&mut self, node: &Node<'_>, word: Rule) -> Option<Expr> {
        let mut options = node.all(Rule::time_option).filter(|option| option.has(word));
        let first = options.next()?;
        for again in options {
            self.said_twice(&first, &again);
        }
        Some(self.amount_in(&first))
    }
}
