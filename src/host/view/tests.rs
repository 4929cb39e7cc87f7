//! What stands on a screen, a pipe and in a log.

use super::super::said::{Changed, Effect};
use super::super::state::plans::Cause;
use super::*;
use crate::diag::{Code, Diagnostic};
use crate::node::Ordinal;
use crate::runtime::{Event, SourceReport};
use crate::server::{Edits, SinkStatus, TaskStatus};

fn log() -> Vec<Said> {
    let started = HostEvent::Started { pipeline: "room.mliot".into(), serving: vec!["http://127.0.0.1:8080/predict/t".into()] };
    let applied = HostEvent::EditApplied {
        plan: Some(2),
        cause: Cause::Edited,
        at: Ordinal(7),
        words: vec!["air.stuffy retuned".into()],
        effect: Effect::default(),
        pause_us: 90,
        took_us: 31_000,
    };
    let refused = HostEvent::EditRefused(Messages::of(Diagnostic::new(Code::E0201, "nothing is called `rom`")));
    vec![Said::Host(started), Said::Engine(Event::WentLive { at: Ordinal(3) }), Said::Host(applied), Said::Host(refused)]
}

fn status(rows: u64) -> Status {
    let task = TaskStatus { name: "t".into(), version: Some("3".into()), family: Some("forest".into()), ..Default::default() };
    let edits = Edits { applied: 1, ..Edits::default() };
    let source = |name: &str, behind_us| SourceReport { name: name.into(), rows, bad: 0, ended: false, behind_us };
    let sources = vec![source("room", Some(40)), source("hall", Some(2_300_000)), source("past", None)];
    let sinks = vec![SinkStatus { name: "out".into(), delivered: rows, waiting: 12, ..SinkStatus::default() }];
    Status { uptime_s: rows as f64 / 500.0, rows_in: rows, sources, sinks, tasks: vec![task], edits, ..Status::default() }
}

fn shown(form: Form, act: impl FnOnce(&mut View<&mut Vec<u8>>)) -> String {
    let mut out = Vec::new();
    act(&mut View::new(form, &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn a_pipe_gets_plain_lines_and_no_redrawing() {
    let text = shown(Form::Plain, |view| {
        for said in log() {
            view.hear(&said);
            view.look(&status(1_000));
        }
    });
    let expected = "room.mliot runs, and answers at http://127.0.0.1:8080/predict/t\n\
        live, after 3 recorded rows\n\
        edit applied at row 7: air.stuffy retuned (paused 90us, ready in 31.0ms)\n";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.contains("E0201") && text.ends_with("edit refused; what runs goes on\n"), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn json_is_one_object_a_line() {
    let text = shown(Form::Json, |view| log().iter().for_each(|said| view.hear(said)));
    let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<&str> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
    assert_eq!(names, ["started", "went_live", "edit_applied", "edit_refused"]);
    assert_eq!(events[3]["diagnostics"][0]["code"], "E0201");
}

/// What a terminal shows after this output: lines, with cursor-up and clear-to-end carried out.
fn screen(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = vec![String::new()];
    let mut rest = text;
    while let Some(at) = rest.find(['\x1b', '\n']) {
        lines.last_mut().unwrap().push_str(&rest[..at]);
        if rest.as_bytes()[at] == b'\n' {
            lines.push(String::new());
            rest = &rest[at + 1..];
            continue;
        }
        let end = at + rest[at..].find(|c: char| c.is_ascii_alphabetic()).unwrap();
        match (&rest[at + 2..end], &rest[end..=end]) {
            (up, "A") => {
                let keep = lines.len() - 1 - up.parse::<usize>().unwrap();
                lines.truncate(keep);
                lines.push(String::new());
            }
            (_, "J" | "m") => {}
            other => panic!("{other:?}"),
        }
        rest = rest[end + 1..].trim_start_matches('\r');
    }
    lines.retain(|line| !line.is_empty());
    lines
}

#[test]
fn a_terminal_keeps_the_log_above_and_a_few_lines_below() {
    for style in [Style::Plain, Style::Coloured] {
        let text = shown(Form::Live(style), |view| {
            view.look(&status(0));
            view.look(&status(1_000));
            view.hear(&log()[0]);
            view.look(&status(2_000));
            view.hear(&log()[1]);
        });
        let expected = [
            "room.mliot runs, and answers at http://127.0.0.1:8080/predict/t",
            "live, after 3 recorded rows",
            "warming up      2,000 rows  500/s  0 dropped on the way",
            "room            2,000 rows  up to date",
            "hall            2,000 rows  2.3s behind",
            "past            2,000 rows",
            "t               forest 3",
            "out             2,000 written  12 waiting",
            "edits           1 applied  0 refused  ",
        ];
        assert_eq!(screen(&text), expected, "{text:?}");
        assert_eq!(text.contains("\x1b[1m"), style == Style::Coloured);
    }
}

fn change(name: &str, class: &str, why: &str) -> Changed {
    Changed { name: name.into(), class: class.into(), why: why.into() }
}

#[test]
fn an_edit_of_several_things_is_a_line_for_each_and_what_it_cost() {
    let changes = vec![
        change("air.lift", "added", "new; rebuilt from the rows so far"),
        change("air.rise", "removed", "no longer in the file"),
        change(
            "busy/window",
            "reset",
            "its window is another one, of which nothing can be put together; it begins empty, and what began in its middle \
             does not come",
        ),
    ];
    let effect = Effect { kept: 9, waited: Some(4), changes };
    let words = vec![
        "luft is now air".to_owned(),
        "air.lift added (new; rebuilt from the rows so far)".to_owned(),
        "air.rise removed (no longer in the file)".to_owned(),
    ];
    let applied = HostEvent::EditApplied {
        plan: None,
        cause: Cause::Edited,
        at: Ordinal(110),
        words,
        effect,
        pause_us: 6_700,
        took_us: 38_300,
    };
    let expected = "\
edit applied at row 110: 3 changes, 9 parts go on untouched (paused 6.7ms, 4 rows waited, ready in 38.3ms)
  luft is now air
  + air.lift     added     new; rebuilt from the rows so far
  - air.rise     removed   no longer in the file
  ! busy/window  reset     its window is another one, of which nothing can be put together; it begins empty,
                           and what began in its middle does not come
";
    assert_eq!(shown(Form::Plain, |view| view.hear(&Said::Host(applied))), expected);
}

/// A wrapped line could not be taken back.
#[test]
fn no_line_is_longer_than_the_terminal() {
    let mut long = status(1_000_000);
    (long.last_change, long.edits.applied) = (Some("air.stuffy retuned ".repeat(20)), 12);
    for width in [20, 40, 80] {
        let text = Lines::default().redraw(&long, Style::Plain, width);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
        assert!(text.lines().any(|line| line.chars().count() == width), "{width}: {text}");
    }
}
