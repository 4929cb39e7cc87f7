//! What `mliot plan A --against B` says.

use crate::plan::diff::{Component, Diff, Listed, Rename};

/// One line for each thing that changes: its name, its class, and why; then a summary. Ends in a newline.
pub fn plan_text(diff: &Diff) -> String {
    let mut rows: Vec<[String; 3]> = diff.renames.iter().map(rename_row).collect();
    rows.extend(diff.listed().iter().map(row));
    let mut text = table(&rows);
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&summary(diff));
    text
}

fn rename_row(rename: &Rename) -> [String; 3] {
    let Rename { from, to, declared } = rename;
    let how = if *declared { "the file says so" } else { "recognised by equal meaning and inputs" };
    [to.to_string(), "renamed".to_owned(), format!("was `{from}`, and goes on as it is: {how}")]
}

fn row(listed: &Listed) -> [String; 3] {
    [listed.name.clone(), listed.class.to_string(), listed.reason()]
}

/// Columns under each other, without blanks at the ends of lines.
pub(super) fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    let line = |[name, class, why]: &[String; 3]| format!("{name:first$}  {class:second$}  {why}").trim_end().to_owned() + "\n";
    rows.iter().map(line).collect()
}

fn summary(diff: &Diff) -> String {
    if diff.is_nothing() {
        return if diff.renames.is_empty() { "nothing to do\n".to_owned() } else { "nothing else to do\n".to_owned() };
    }
    let mut text = format!("{}{}\n", counted(diff), pauses(&diff.components, diff));
    for key in diff.rejected() {
        text.push_str(&format!("refused: `{key}` would lose what it remembers, and says `on change reject`\n"));
    }
    text
}

/// `1 node retuned, 1 shadowed, 9 same`
fn counted(diff: &Diff) -> String {
    let counts = diff.counts();
    let parts = counts.iter().rev().enumerate().map(|(nth, (class, count))| match nth {
        0 => format!("{} {class}", nodes(*count)),
        _ => format!("{count} {class}"),
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn pauses(components: &[Component], diff: &Diff) -> String {
    let kept: usize = components.iter().map(|component| component.nodes.len()).sum();
    let gone: usize = components.iter().map(|component| component.removed.len()).sum();
    let how = match (components.len(), kept + gone) {
        (0, _) => return String::new(),
        (1, 1) => "one node changes by itself".to_owned(),
        (1, touched) => format!("{} change together", nodes(touched)),
        (sets, touched) => format!("{} change in {sets} sets, each by itself", nodes(touched)),
    };
    let rest = if diff.nodes.len() > kept { ", the rest does not pause" } else { "" };
    format!("; {how}{rest}")
}

fn nodes(count: usize) -> String {
    if count == 1 { "1 node".to_owned() } else { format!("{count} nodes") }
}
