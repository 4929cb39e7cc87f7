//! Layout: a document says where it may break, and the printer breaks what does not fit. After Wadler, "A prettier printer".

/// A line is broken where it would be longer, in characters.
pub const WIDTH: usize = 120;

#[derive(Clone, Debug)]
pub enum Doc {
    Text(String),
    All(Vec<Doc>),
    /// A blank, or a new line where its group is broken.
    Line,
    /// Nothing, or a new line where its group is broken.
    Soft,
    /// A new line, which breaks all groups around it.
    Hard,
    /// So many blanks where its group is broken, else one: columns of a table.
    Pad(usize),
    /// Only where its group is not broken.
    Flat(&'static str),
    /// Only where its group is broken.
    Broken(&'static str),
    Indent(usize, Box<Doc>),
    /// Broken as a whole or not at all.
    Group(Box<Doc>),
    /// Comes at the end of the line on which it is met, and breaks all groups around it.
    Comment(String),
}

pub fn text(text: impl Into<String>) -> Doc {
    Doc::Text(text.into())
}

pub fn all(docs: impl IntoIterator<Item = Doc>) -> Doc {
    Doc::All(docs.into_iter().collect())
}

pub fn group(doc: Doc) -> Doc {
    Doc::Group(Box::new(doc))
}

pub fn indent(by: usize, doc: Doc) -> Doc {
    Doc::Indent(by, Box::new(doc))
}

impl Doc {
    /// Can it stand on one line at all?
    pub fn must_break(&self) -> bool {
        match self {
            Doc::Hard | Doc::Comment(_) => true,
            Doc::All(docs) => docs.iter().any(Doc::must_break),
            Doc::Indent(_, inner) | Doc::Group(inner) => inner.must_break(),
            Doc::Text(_) | Doc::Line | Doc::Soft | Doc::Pad(_) | Doc::Flat(_) | Doc::Broken(_) => false,
        }
    }

    /// How wide it is on one line.
    pub fn flat_width(&self) -> usize {
        match self {
            Doc::Text(text) => text.chars().count(),
            Doc::All(docs) => docs.iter().map(Doc::flat_width).sum(),
            Doc::Line | Doc::Pad(_) => 1,
            Doc::Flat(text) => text.len(),
            Doc::Indent(_, inner) | Doc::Group(inner) => inner.flat_width(),
            Doc::Broken(_) | Doc::Soft | Doc::Hard | Doc::Comment(_) => 0,
        }
    }
}

/// A line of output; its comment is put into its column at the end.
#[derive(Clone, Debug, Default)]
pub struct OutLine {
    pub code: String,
    pub comment: Option<String>,
}

/// What is still to be printed: its indentation, whether its group is broken, itself.
type Todo<'d> = (usize, bool, &'d Doc);

#[derive(Default)]
struct Printer {
    lines: Vec<OutLine>,
    line: OutLine,
    /// Comments for lines of their own below this one, with their indentation.
    below: Vec<(usize, String)>,
}

pub fn print(doc: &Doc) -> Vec<OutLine> {
    let mut printer = Printer::default();
    let mut todo: Vec<Todo<'_>> = vec![(0, true, doc)];
    while let Some((indent, broken, doc)) = todo.pop() {
        match doc {
            Doc::Text(text) => printer.line.code.push_str(text),
            Doc::All(docs) => todo.extend(docs.iter().rev().map(|doc| (indent, broken, doc))),
            Doc::Line if !broken => printer.line.code.push(' '),
            Doc::Soft if !broken => {}
            Doc::Line | Doc::Soft | Doc::Hard => printer.new_line(indent),
            Doc::Pad(blanks) => printer.line.code.push_str(&" ".repeat(if broken { *blanks } else { 1 })),
            Doc::Flat(text) if !broken => printer.line.code.push_str(text),
            Doc::Broken(text) if broken => printer.line.code.push_str(text),
            Doc::Flat(_) | Doc::Broken(_) => {}
            Doc::Indent(by, inner) => todo.push((indent + by, broken, inner)),
            Doc::Group(inner) => todo.push((indent, !printer.fits(inner, &todo), inner)),
            Doc::Comment(comment) => printer.comment(comment, indent),
        }
    }
    printer.finish()
}

impl Printer {
    fn new_line(&mut self, indent: usize) {
        self.line.code.truncate(self.line.code.trim_end().len());
        self.lines.push(std::mem::take(&mut self.line));
        for (indent, comment) in self.below.drain(..) {
            self.lines.push(OutLine { code: format!("{}{comment}", " ".repeat(indent)), comment: None });
        }
        self.line.code = " ".repeat(indent);
    }

    /// A line holds one comment; a second one moves down.
    fn comment(&mut self, comment: &str, indent: usize) {
        match &self.line.comment {
            None => self.line.comment = Some(comment.to_owned()),
            Some(_) => self.below.push((indent, comment.to_owned())),
        }
    }

    /// Does the group fit on this line, with all that must follow it there?
    fn fits(&self, inner: &Doc, behind: &[Todo<'_>]) -> bool {
        let used = self.line.code.chars().count() + inner.flat_width();
        !inner.must_break() && used + glued(behind) <= WIDTH
    }

    fn finish(mut self) -> Vec<OutLine> {
        self.new_line(0);
        self.lines
    }
}

/// The width of what follows before the next place that may break.
fn glued(behind: &[Todo<'_>]) -> usize {
    let mut width = 0;
    for (_, broken, doc) in behind.iter().rev() {
        match glued_start(doc, *broken) {
            (more, true) => return width + more,
            (more, false) => width += more,
        }
        if width > WIDTH {
            return width;
        }
    }
    width
}

/// The width up to the first place that may break, and whether there is one.
fn glued_start(doc: &Doc, broken: bool) -> (usize, bool) {
    match doc {
        Doc::Line | Doc::Soft => (usize::from(!broken && matches!(doc, Doc::Line)), broken),
        Doc::Hard => (0, true),
        Doc::All(docs) => {
            let mut width = 0;
            for doc in docs {
                let (more, stop) = glued_start(doc, broken);
                width += more;
                if stop {
                    return (width, true);
                }
            }
            (width, false)
        }
        Doc::Indent(_, inner) => glued_start(inner, broken),
        // A group behind may break at its first place.
        Doc::Group(inner) => glued_start(inner, true),
        Doc::Text(_) | Doc::Pad(_) | Doc::Flat(_) | Doc::Broken(_) | Doc::Comment(_) => (doc.flat_width(), false),
    }
}

/// Comments on neighbouring lines of one body begin in one column.
pub fn join(lines: &[OutLine]) -> String {
    let mut out = String::new();
    for run in lines.chunk_by(share_column) {
        let width = run.iter().map(|line| line.code.chars().count()).max().unwrap_or(0);
        for line in run {
            match &line.comment {
                Some(comment) => out.push_str(&format!("{:width$}  {comment}\n", line.code)),
                None => out.push_str(&format!("{}\n", line.code)),
            }
        }
    }
    out
}

fn share_column(a: &OutLine, b: &OutLine) -> bool {
    let indent = |line: &OutLine| line.code.len() - line.code.trim_start().len();
    let same_body =
        indent(a) == indent(b) && !a.code.ends_with(['{', '[', '(']) && !b.code.trim_start().starts_with(['}', ']', ')']);
    a.comment.is_some() && b.comment.is_some() && same_body
}
