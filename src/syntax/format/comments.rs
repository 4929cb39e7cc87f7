//! Comments keep their place: on the line of what they stand behind, or on lines of their own before what follows.

use crate::syntax::scan::{Kind, tokens};

use super::doc::{Doc, all, text};

#[derive(Clone, Debug)]
struct Comment {
    start: usize,
    text: String,
    /// Nothing stands before it on its line.
    own_line: bool,
}

/// All comments of a text, given out in order.
pub struct Comments<'t> {
    text: &'t str,
    all: Vec<Comment>,
    next: usize,
    /// Where the last thing printed ends in the text.
    printed: usize,
}

impl<'t> Comments<'t> {
    pub fn of(text: &'t str) -> Self {
        let found = tokens(text).filter(|token| token.kind == Kind::Comment).map(|token| Comment {
            start: token.at.start,
            text: text[token.at.clone()].trim_end().to_owned(),
            own_line: begins_line(text, token.at.start),
        });
        Self { text, all: found.collect(), next: 0, printed: 0 }
    }

    /// Does any comment stand there that has not been printed?
    pub fn any_between(&self, start: usize, end: usize) -> bool {
        self.all[self.next..].iter().any(|comment| (start..end).contains(&comment.start))
    }

    /// What stands before the thing at `start`: comments, and a blank line where there was one. `first` in its body, it
    /// needs none above.
    pub fn before(&mut self, start: usize, first: bool) -> Doc {
        let (mut docs, mut first) = (Vec::new(), first);
        while let Some(comment) = self.all.get(self.next).filter(|comment| comment.start < start).cloned() {
            self.next += 1;
            if !comment.own_line {
                docs.push(Doc::Comment(comment.text));
                continue;
            }
            docs.extend(self.blank_above(comment.start, first));
            docs.extend([text(self.in_its_place(&comment)), Doc::Hard]);
            first = false;
        }
        docs.extend(self.blank_above(start, first));
        all(docs)
    }

    /// Comments before `start` that stand behind something on its line, up to the first that does not.
    pub fn trailing_before(&mut self, start: usize) -> Vec<Doc> {
        let mut docs = Vec::new();
        while let Some(comment) = self.all.get(self.next).filter(|comment| comment.start < start && !comment.own_line) {
            docs.push(Doc::Comment(comment.text.clone()));
            self.next += 1;
        }
        docs
    }

    /// What stands before a closing bracket: each comment on a line of its own.
    pub fn before_close(&mut self, close: usize, first: bool) -> Doc {
        let (mut docs, mut first) = (Vec::new(), first);
        while let Some(comment) = self.all.get(self.next).filter(|comment| comment.start < close).cloned() {
            self.next += 1;
            if !comment.own_line {
                docs.push(Doc::Comment(comment.text));
                continue;
            }
            docs.push(Doc::Hard);
            docs.extend(self.blank_above(comment.start, first));
            docs.push(text(self.in_its_place(&comment)));
            first = false;
        }
        all(docs)
    }

    /// The comment behind what ends at `end`, on the same line; separators may stand between.
    pub fn behind(&mut self, end: usize) -> Doc {
        self.printed = end;
        let mut docs = Vec::new();
        while let Some(comment) = self.all.get(self.next) {
            let inside = comment.start < end;
            let same_line = !inside && self.text[end..comment.start].chars().all(|letter| " \t;,".contains(letter));
            if !(inside || same_line) {
                break;
            }
            docs.push(Doc::Comment(plain(&comment.text)));
            self.next += 1;
        }
        all(docs)
    }

    /// `##` describes what follows; a comment that had to move describes nothing.
    fn in_its_place(&self, comment: &Comment) -> String {
        if comment.start >= self.printed { comment.text.clone() } else { plain(&comment.text) }
    }

    fn blank_above(&self, start: usize, first: bool) -> Option<Doc> {
        (!first && blank_line_before(self.text, start)).then_some(Doc::Hard)
    }
}

fn plain(comment: &str) -> String {
    format!("#{}", comment.trim_start_matches('#'))
}

/// Does a line begin there, but for blanks?
pub fn begins_line(text: &str, at: usize) -> bool {
    let before = text[..at].trim_start_matches('\u{feff}').trim_end_matches([' ', '\t', '\r']);
    before.is_empty() || before.ends_with('\n')
}

pub fn blank_line_before(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end();
    text[before.len()..at].matches('\n').count() >= 2
}
