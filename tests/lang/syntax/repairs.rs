//! What a message offers to do.

use std::fs;

use mliot::diag::Diagnostic;

use super::parsed;
use crate::ui;

/// All repairs of one text, the last first, so that places stay true.
fn repaired(text: &str) -> String {
    let mut fixes: Vec<_> = parsed(text).1.into_iter().filter_map(|message| message.fix).collect();
    fixes.sort_by_key(|fix| std::cmp::Reverse((fix.span.start, fix.span.end)));
    let (mut out, mut until) = (text.to_owned(), text.len());
    for fix in fixes.into_iter() {
        let range = fix.span.range();
        if range.end <= until {
            until = range.start;
            out.replace_range(range, &fix.text);
        }
    }
    out
}

/// What a message offers to do must mend what it is about.
#[test]
fn repairs_leave_no_message_of_their_kind() {
    for file in ui::files("tests/ui/syntax") {
        let text = fs::read_to_string(&file).unwrap();
        let mut mended = text.clone();
        for _ in 0..6 {
            mended = repaired(&mended);
        }
        let left: Vec<Diagnostic> = parsed(&mended).1.into_iter().filter(|it| it.fix.is_some()).collect();
        assert!(left.is_empty(), "{}\n{mended}\n{left:?}", file.display());
    }
}
