//! Messages as people read them in a terminal or a log.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Severity, ThemeStyles};

use crate::base::{Sources, Span};

use super::{Diagnostic, Label, Level};

/// How the surroundings want their text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    Plain,
    Coloured,
}

/// The message with the lines of text that it is about. Ends in a newline.
pub fn render(diagnostic: &Diagnostic, sources: &Sources, style: Style) -> String {
    let styles = match style {
        Style::Plain => ThemeStyles::none(),
        Style::Coloured => ThemeStyles::ansi(),
    };
    let theme = GraphicalTheme { styles, ..GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme).with_width(100).with_links(false);
    let mut text = String::new();
    match handler.render_report(&mut text, report(diagnostic, sources).as_ref()) {
        Ok(()) => elsewhere(diagnostic).fold(tidy(&text), |text, label| text + &other_file(label, sources, &handler)),
        Err(_) => format!("{} {}\n", diagnostic.code, diagnostic.message),
    }
}

/// Labels in other texts than the one that the message is about.
fn elsewhere(diagnostic: &Diagnostic) -> impl Iterator<Item = &Label> {
    let home = diagnostic.span().map(|span| span.source);
    diagnostic.labels.iter().filter(move |label| Some(label.span.source) != home)
}

/// miette draws one text per report, so each further one is a report of its own, in the words of its label.
fn other_file(label: &Label, sources: &Sources, handler: &GraphicalReportHandler) -> String {
    let words = if label.text.is_empty() { "and here" } else { label.text.as_str() };
    let file = sources.get(label.span.source);
    let out = MietteDiagnostic::new(words).with_severity(Severity::Advice);
    let out = out.with_labels([LabeledSpan::new_primary_with_span(None, label.span.range())]);
    let report = miette::Report::from(out).with_source_code(NamedSource::new(&*file.name, file.text.to_string()));
    let mut text = String::new();
    match handler.render_report(&mut text, report.as_ref()) {
        Ok(()) => tidy(&text),
        Err(_) => String::new(),
    }
}

fn report(diagnostic: &Diagnostic, sources: &Sources) -> miette::Report {
    let mut out = MietteDiagnostic::new(format!("{}: {}", diagnostic.code, diagnostic.message));
    out = out.with_severity(match diagnostic.level() {
        Level::Error => Severity::Error,
        Level::Warning => Severity::Warning,
    });
    if let Some(help) = &diagnostic.help {
        out = out.with_help(help);
    }
    let Some(home) = diagnostic.span().map(|span| span.source) else { return out.into() };
    let labels = diagnostic.labels.iter().filter(|label| label.span.source == home);
    let out = out.with_labels(labels.enumerate().map(|(nth, label)| labelled(nth, label.span, &label.text)));
    let file = sources.get(home);
    miette::Report::from(out).with_source_code(NamedSource::new(&*file.name, file.text.to_string()))
}

fn labelled(nth: usize, span: Span, text: &str) -> LabeledSpan {
    let text = (!text.is_empty()).then(|| text.to_owned());
    if nth == 0 {
        LabeledSpan::new_primary_with_span(text, span.range())
    } else {
        LabeledSpan::new_with_span(text, span.range())
    }
}

/// Without blank first lines and trailing blanks, so that goldens and logs stay clean.
fn tidy(text: &str) -> String {
    let lines = text.lines().map(str::trim_end).skip_while(|line| line.is_empty());
    let mut out = lines.collect::<Vec<_>>().join("\n");
    out.push('\n');
    out
}
