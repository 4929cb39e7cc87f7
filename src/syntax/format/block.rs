//! What all bodies have in common: entries between brackets, on one line or one a line, with their comments.

use crate::base::Span;
use crate::syntax::scan::{Kind, tokens};

use super::Formatter;
use super::comments::begins_line;
use super::doc::{Doc, all, group, indent, text};

/// How entries are enclosed and separated.
pub struct Brackets {
    open: &'static str,
    close: &'static str,
    /// Between entries on one line, and at the end of a line.
    flat: &'static str,
    broken: &'static str,
    /// A blank inside the brackets where all is on one line.
    spaced: bool,
}

pub const BRACES: Brackets = Brackets { open: "{", close: "}", flat: ";", broken: "", spaced: true };
pub const SQUARE: Brackets = Brackets { open: "[", close: "]", flat: ",", broken: ",", spaced: false };
pub const ROUND: Brackets = Brackets { open: "(", close: ")", flat: ",", broken: ",", spaced: false };

/// An entry that is printed when its turn comes, so that comments stay in order.
pub struct Item<'i> {
    pub start: usize,
    pub end: usize,
    pub print: Box<dyn FnOnce(&mut Formatter<'_>) -> Doc + 'i>,
}

pub fn item<'i>(span: Span, print: impl FnOnce(&mut Formatter<'_>) -> Doc + 'i) -> Item<'i> {
    Item { start: span.start as usize, end: span.end as usize, print: Box::new(print) }
}

impl Formatter<'_> {
    /// One a line if the first entry began a line, if a comment stands inside, or if all do not fit.
    pub fn enclosed(&mut self, brackets: &Brackets, items: Vec<Item<'_>>, close: usize) -> Doc {
        let start = items.first().map_or(close, |item| item.start);
        let broken = items.iter().take(1).any(|item| begins_line(self.text, item.start));
        if items.is_empty() && !self.comments.any_between(0, close) {
            return text(format!("{}{}", brackets.open, brackets.close));
        }
        let (edge, separator) =
            (if brackets.spaced { Doc::Line } else { Doc::Soft }, if broken { Doc::Hard } else { Doc::Line });
        let mut inner = vec![if broken { Doc::Hard } else { edge.clone() }];
        let mut opened = self.comments.trailing_before(start);
        let count = items.len();
        for (nth, item) in items.into_iter().enumerate() {
            let lead = self.comments.before(item.start, nth == 0);
            let end = self.with_closers(item.start, item.end);
            let doc = (item.print)(self);
            inner.extend([lead, doc]);
            let last = nth + 1 == count;
            inner.extend((!last).then_some(Doc::Flat(brackets.flat)));
            inner.extend((!last && !brackets.broken.is_empty()).then_some(Doc::Broken(brackets.broken)));
            inner.push(self.comments.behind(end));
            inner.extend((!last).then(|| separator.clone()));
        }
        inner.push(self.comments.before_close(close, count == 0));
        opened.push(indent(2, all(inner)));
        group(all([text(brackets.open), all(opened), edge, text(brackets.close)]))
    }

    /// The end of an item, with the brackets that it opened.
    fn with_closers(&self, start: usize, end: usize) -> usize {
        let opened = depth(&self.text[start..end]);
        (0..opened).fold(end, |end, _| (self.close_after(end) + 1).min(self.text.len()))
    }

    /// The closing bracket that follows `from`.
    pub fn close_after(&self, from: usize) -> usize {
        let mut depth = 0;
        for token in tokens(&self.text[from..]) {
            match token.kind {
                Kind::Open(_) => depth += 1,
                Kind::Close(_) if depth == 0 => return from + token.at.start,
                Kind::Close(_) => depth -= 1,
                Kind::Comment | Kind::Quoted { .. } | Kind::Newline | Kind::Word | Kind::Sign(_) => {}
            }
        }
        self.text.len()
    }
}

/// How many brackets are open at the end of a text.
fn depth(text: &str) -> usize {
    tokens(text).fold(0, |depth, token| match token.kind {
        Kind::Open(_) => depth + 1,
        Kind::Close(_) => depth.saturating_sub(1),
        Kind::Comment | Kind::Quoted { .. } | Kind::Newline | Kind::Word | Kind::Sign(_) => depth,
    })
}
