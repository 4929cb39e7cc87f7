//! Doc comments: the `##` lines right above what they describe.

use crate::base::Span;
use crate::syntax::ast::Doc;

/// The doc comment of what begins at `of`, if that is the first thing on its line.
pub fn doc_before(file: &str, of: Span) -> Option<Doc> {
    let line_start = file[..of.start as usize].rfind('\n').map_or(0, |at| at + 1);
    if !file[line_start..of.start as usize].trim().is_empty() {
        return None;
    }
    let (mut start, mut end, mut lines) = (line_start, None, Vec::new());
    while let Some((line, place)) = line_before(file, start) {
        let Some(text) = line.trim_start_matches('\u{feff}').trim().strip_prefix("##") else { break };
        lines.push(text.strip_prefix(' ').unwrap_or(text).trim_end());
        end.get_or_insert(place.end);
        start = place.start;
    }
    lines.reverse();
    Some(Doc { text: lines.join("\n"), span: Span::new(of.source, start, end?) })
}

/// The line that ends right before `start`, and its place without the newline.
fn line_before(file: &str, start: usize) -> Option<(&str, std::ops::Range<usize>)> {
    let end = start.checked_sub(1)?;
    let from = file[..end].rfind('\n').map_or(0, |at| at + 1);
    Some((&file[from..end], from..end))
}
