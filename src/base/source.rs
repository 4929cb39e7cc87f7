//! The texts that were read, and how a byte becomes a line and a column.

use std::sync::Arc;

use super::{SourceId, Span};

/// One text with the name people know it by.
#[derive(Clone, Debug)]
pub struct SourceFile {
    pub name: Arc<str>,
    pub text: Arc<str>,
    line_starts: Arc<[usize]>,
}

/// A position as editors count it: both from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub line: usize,
    pub column: usize,
}

impl SourceFile {
    pub fn new(name: &str, text: &str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Self { name: name.into(), text: text.into(), line_starts: starts.collect() }
    }

    /// `byte` may be the end of the text; a byte inside a character counts as that character.
    pub fn place(&self, byte: usize) -> Place {
        let line = self.line_starts.partition_point(|start| *start <= byte) - 1;
        let from = self.line_starts[line];
        let column = self.text[from..].char_indices().take_while(|(at, _)| from + at < byte).count() + 1;
        Place { line: line + 1, column }
    }
}

/// All texts of one compilation, the file itself first.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

impl Sources {
    pub fn of(name: &str, text: &str) -> Self {
        let mut sources = Self::default();
        sources.add(name, text);
        sources
    }

    pub fn add(&mut self, name: &str, text: &str) -> SourceId {
        self.files.push(SourceFile::new(name, text));
        SourceId(u16::try_from(self.files.len() - 1).expect("a compilation reads at most 65,536 files"))
    }

    pub fn get(&self, id: SourceId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    pub fn iter(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    pub fn text(&self, span: Span) -> &str {
        &self.get(span.source).text[span.range()]
    }

    pub fn place(&self, span: Span) -> Place {
        self.get(span.source).place(span.start as usize)
    }
}
